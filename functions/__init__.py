"""What runs, and when? One folder per Lambda function: `handler.py` and one use case named by its verb."""
