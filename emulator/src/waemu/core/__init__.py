"""The image coreapp: coreapp and master are two duties of one program."""
