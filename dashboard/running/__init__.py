"""The one place that runs and keeps: models in use, the queue, jobs and who waits for them."""
