"""Running a model: counted passes, chunks that shrink when memory runs out, jobs, cancelling."""
