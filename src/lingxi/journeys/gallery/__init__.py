"""Ready journeys with their templates, offers and segments: a folder as ``lingxi apply`` reads."""
