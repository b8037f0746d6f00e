# Wrong answers, each of which the check of its exercise must reject.


# %% 11.1: uphill
def newton_step(f, w):
    return w + np.linalg.solve(vg.hessian(f)(w), vg.grad(f)(w))


# %% 11.1: the step instead of the place
def newton_step(f, w):
    return -np.linalg.solve(vg.hessian(f)(w), vg.grad(f)(w))


# %% 11.1: only the curvatures on the diagonal
def newton_step(f, w):
    return w - vg.grad(f)(w) / np.diag(vg.hessian(f)(w))


# %% 11.1: multiplied where it should be divided
def newton_step(f, w):
    return w - vg.hessian(f)(w) @ vg.grad(f)(w)


# %% 11.1: the whole Hessian as a divisor
def newton_step(f, w):
    return w - vg.grad(f)(w) / vg.hessian(f)(w)


# %% 11.1: gradient descent
def newton_step(f, w):
    return w - 0.1 * vg.grad(f)(w)


# %% 11.1: the Hessian at the origin, right in bowls only
def newton_step(f, w):
    return w - np.linalg.solve(vg.hessian(f)(0 * w), vg.grad(f)(w))


# %% 11.2: stops at the number
def times_v(f, w, v):
    return np.sum(vg.grad(f)(w) * v)


# %% 11.2: multiplies by v too late
def times_v(f, w, v):
    return vg.grad(lambda w: np.sum(vg.grad(f)(w)))(w) * v


# %% 11.2: one gradient only
def times_v(f, w, v):
    return vg.grad(lambda w: np.sum(f(w) * v))(w)


# %% 11.2: through the whole Hessian
def times_v(f, w, v):
    return vg.hessian(f)(w) @ v


# %% 11.2: tries instead of differentiating
def times_v(f, w, v):
    h = 1e-4
    return (vg.grad(f)(w + h * v) - vg.grad(f)(w - h * v)) / (2 * h)


# %% 11.2: no sum, so no single number
def times_v(f, w, v):
    return vg.grad(lambda w: vg.grad(f)(w) * v)(w)
