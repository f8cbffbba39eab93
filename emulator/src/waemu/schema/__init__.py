"""The database schema: one group of tables per database (MySQL) or schema (PostgreSQL)."""
