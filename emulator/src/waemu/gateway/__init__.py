"""The stand-in for WhatsApp's servers: an independent witness of what a cluster does."""
