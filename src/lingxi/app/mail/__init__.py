"""E-mail of one shop: what comes back, who is not written to, double opt-in, deliverability."""
