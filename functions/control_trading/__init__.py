"""The operator's hand: status, pause, resume, flatten. Works while every other function is failing."""
