"""The engine and the images are the same as for the clusters."""

from tests.cluster.conftest import engine, postgres_image

__all__ = ["engine", "postgres_image"]
