"""The webapp: HTTPS, authentication, validation, rate limits, and routing to the nodes that do the work."""
