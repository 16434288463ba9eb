"""The service and its page: the use cases over HTTP, safe by default. Needs the extra ``serve``."""
