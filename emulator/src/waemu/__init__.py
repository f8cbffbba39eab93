"""A stand-in for the WhatsApp Business On-Premises API client, written from its documented behaviour."""
