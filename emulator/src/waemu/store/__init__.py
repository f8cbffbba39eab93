"""All SQL of the emulator."""
