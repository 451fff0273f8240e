"""The same small generator of numbers as examples/seed/support/seeded_random.ts."""


class SeededRandom:
    def __init__(self, seed):
        self.state = seed % 2147483646 + 1

    def randint(self, low, high):
        self.state = self.state * 48271 % 2147483647
        return low + self.state % (high - low + 1)
