"""Alembic's entry: runs the steps on the connection that `migrate` hands over."""

from alembic import context

from samviz.runs.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
# The transaction is the caller's: its lock is held until all steps are done.
context.run_migrations()
