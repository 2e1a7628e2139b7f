"""Templates: Liquid and MJML in the shop's languages, rendered in bounds, versions that stay."""
