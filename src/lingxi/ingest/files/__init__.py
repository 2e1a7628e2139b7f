"""Files of customers and events on their way through the collector's own door: each line a message,
cleaned, identified and kept like one that a client sent."""
