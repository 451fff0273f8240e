def lazy_range(up_to):
    """Generator to return the sequence of integers from 0 to up_to, exclusive."""
    index = 0
    while index < up_to:
        yield index
        index += 1


iterator = lazy_range(2)
print(next(iterator))
print(next(iterator))

for x in lazy_range(2):
    print(x)
