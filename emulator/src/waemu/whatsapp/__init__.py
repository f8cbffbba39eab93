"""The rules of WhatsApp's servers, for the two that stand in for them: the loopback of a core, and the gateway."""
