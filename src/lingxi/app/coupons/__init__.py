"""Offers and coupons of one shop, as the command line, the API and the pages work on them."""
