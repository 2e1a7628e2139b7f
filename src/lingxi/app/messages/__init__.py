"""Messages of a shop: what fills their templates, what carries them, and what is told of them."""
