"""A live exact index that follows a record: read once, or mapped from its cache, then kept in step with what changed."""
