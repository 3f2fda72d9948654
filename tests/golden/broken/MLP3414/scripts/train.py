def train(rate=0.1):
    return rate +
