"""What the parts of the emulator say to each other, and how it is carried. It imports none of them."""
