"""`python -m training.gpu`: a short run on a machine that has a GPU and little else.

Packs photos to a size, trains there, brings the weights back in small checked parts.
Nothing else imports this room.
"""
