"""Training as the book's network2.py goes about it: sample by sample, in columns, a list of arrays for every gradient.

Written anew from the description in "Neural Networks and Deep Learning", chapters 2 and 3; weights are (n_out, n_in).
"""

import random

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


class Loop:
    """The network and its training."""

    def __init__(self, weights, biases):
        self.weights, self.biases = weights, biases

    def gradient(self, x, y):
        """∂C/∂w and ∂C/∂b of one sample, by the four equations of backpropagation."""
        activations, zs = [x], []
        for w, b in zip(self.weights, self.biases, strict=True):
            zs.append(np.dot(w, activations[-1]) + b)
            activations.append(sigmoid(zs[-1]))
        by_w = [np.zeros(w.shape) for w in self.weights]
        by_b = [np.zeros(b.shape) for b in self.biases]
        delta = activations[-1] - y
        for layer in range(len(zs) - 1, -1, -1):
            by_w[layer], by_b[layer] = np.dot(delta, activations[layer].transpose()), delta
            if layer:
                delta = np.dot(self.weights[layer].transpose(), delta) * sigmoid_prime(zs[layer - 1])
        return by_w, by_b

    def step(self, batch, lr, kept):
        """Add the gradients of the samples, then move."""
        sum_w = [np.zeros(w.shape) for w in self.weights]
        sum_b = [np.zeros(b.shape) for b in self.biases]
        for x, y in batch:
            by_w, by_b = self.gradient(x, y)
            sum_w = [total + g for total, g in zip(sum_w, by_w, strict=True)]
            sum_b = [total + g for total, g in zip(sum_b, by_b, strict=True)]
        rate = lr / len(batch)
        self.weights = [kept * w - rate * g for w, g in zip(self.weights, sum_w, strict=True)]
        self.biases = [b - rate * g for b, g in zip(self.biases, sum_b, strict=True)]

    def epoch(self, samples, size, lr, kept):
        """All mini-batches once, in a new order."""
        random.shuffle(samples)
        for start in range(0, len(samples), size):
            self.step(samples[start : start + size], lr, kept)

    def accuracy(self, samples):
        """How many of the samples (x, label) it gets right."""
        right = 0
        for x, label in samples:
            for w, b in zip(self.weights, self.biases, strict=True):
                x = sigmoid(np.dot(w, x) + b)
            right += int(np.argmax(x) == label)
        return right
