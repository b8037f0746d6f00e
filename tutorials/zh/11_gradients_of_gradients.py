# %% [markdown] minutes=20 en="d1aea469"
# # 11. 梯度的梯度
#
# 梯度告诉我们哪边是下坡，却不告诉我们该走多远。这套教程里每次训练都有一个数要我们自己来定，那就是学习率；它该取 0.1 还是取 10，梯度里一点线索也没有。
#
# 缺的这条线索，藏在斜率*自己的斜率*里：往前走，坡会很快变平，还是会一直这么陡？所以这一课要对导数再求一次导。我们先看引擎是怎么做到的，毕竟它造出来只是为了往回走一遍；然后就用它：一步走到谷底，掉进一个陷阱，再问一问一个有 23,860 个参数的网络，它想走多远。

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("11_gradients_of_gradients", lang="zh")

# %% [markdown] en="ec4be2a3"
# ## 斜率也有斜率
#
# 在第 1 课里，我们求出了 sigmoid 的斜率 σ′(z)：一座小山，山顶在 z = 0 处，高四分之一。山本身也有斜率。`vg.grad` 接受一个函数，给出它的导数；导数也是一个函数，所以可以再对它用一次。

# %%
first = vg.grad(vg.sigmoid)
second = vg.grad(first)

for z in (-2.0, 0.0, 2.0):
    print(f"z = {z:4.1f}: σ = {vg.sigmoid(z):.4f}, σ′ = {first(z):.4f}, σ″ = {second(z):8.4f}")

# %% [markdown] en="3b41f367"
# σ″ 读作“西格玛两撇”，叫做**二阶导数**：在 z 处推一份，σ′ 会动几份。看图之前先猜一猜：σ″ 在哪里为零？在哪里为正，在哪里为负？

# %%
zs = np.linspace(-6, 6, 121)
with plot(
    "三条曲线。σ 像 S 一样上升，σ′ 是一座小山，σ″ 是一个波：在 0 的左边为正，在 0 处为零，在右边为负",
) as axes:
    axes.plot(zs, vg.sigmoid(zs), label="σ")
    axes.plot(zs, [first(z) for z in zs], "--", label="σ′")
    axes.plot(zs, [second(z) for z in zs], "-.", label="σ″")
    axes.axhline(0, color="gray", linewidth=0.8)
    axes.set(xlabel="z", title="sigmoid、它的斜率、斜率的斜率")
    axes.legend()

# %% tags=["hidden"]
at_zero, beyond = float(first(0.0)), float(second(2.0))
assert at_zero == 0.25
assert second(0.0) == 0.0
assert beyond < 0 < second(-2.0)
bends = [float(second(z)) for z in zs]
assert 0.09 < max(bends) < 0.1

# %% [markdown] en="3bc7a9b7"
# 左边上山，σ″ 为正；右边下山，σ″ 为负；在山顶 z = 0 处，它是零。山坡上它最大，可即使在那里也不到 0.1。σ′ 至多四分之一，σ″ 至多十分之一：请记住这两个数，最后要用。
#
# ## 一条规则，两种用法
#
# 引擎是怎么做到的呢？第 2 课里说过，每个节点存着一条规则，也就是 **vjp**：消息进去，消息出来。sigmoid 的规则是一张表里的一行。我们可以把它取出来，自己调用。它接受消息 g、输出 a 和输入 z，把消息乘上局部导数。

# %%
rule = vg.sigmoid.op.vjps[0]

a = vg.sigmoid(0.66)
print("把数交给规则：", rule(1.0, a, 0.66))

# %% tags=["hidden"]
assert f"{rule(1.0, a, 0.66):.4f}" == "0.2246"

# %% [markdown] en="2d6118ff"
# 0.2246，第 1 课的老朋友。接下来是关键。表里的这一行是普通的 NumPy 表达式，给它什么，它就算什么。那就给它 Tensor 看看。

# %%
z = vg.Tensor(0.66, name="z")
a = vg.sigmoid(z).named("a")
slope = rule(1.0, a, z)

print("把 Tensor 交给规则：", slope)
slope.backward()
print("它的导数：", z.grad)

# %% tags=["hidden"]
assert f"{slope.item():.4f}" == "0.2246"
assert math.isclose(float(z.grad), float(vg.grad(vg.grad(vg.sigmoid))(0.66)), rel_tol=1e-12)
assert f"{float(z.grad):.4f}" == "-0.0716"

# %% [markdown] en="99d65a7a"
# 还是这个数，但这一回它*记住了来历*。规则做乘法时，用的是会记事的值，于是斜率也成了一个会记事的值，背后有一张图，可以沿着图再往回走。秘密全在这里：**一条规则，两种用法**。进去的是数组，扫描就快，算完就忘；进去的是 Tensor，扫描本身就被记录下来。
#
# `vg.backprop(…, create_graph=True)` 往回传的就是 Tensor，而不是数组。它造出来的图是这样的。

# %%
z = vg.Tensor(0.66, name="z")
a = vg.sigmoid(z).named("a")
message = vg.Tensor(1.0, name="g")
slope = vg.backprop(a, message, wrt=[z], create_graph=True)[z].named("斜率")
show(
    vg.draw(slope),
    "斜率的图：z 通向 a，z、a 和消息 g 再通向 斜率 = g·a·σ(−z) = 0.2246",
)

# %% tags=["hidden"]
messages = vg.backprop(slope)
assert f"{messages[z]:.4f}" == "-0.0716"
assert f"{messages[a]:.4f}" == "0.3407"
assert f"{messages[message]:.4f}" == "0.2246"
assert f"{messages[z] - messages[a] * 0.2246:.4f}" == "-0.1481"

# %% [markdown] en="c7482f87"
# 从左往右读。先由 z 算出 a，这是正向的一遍。然后由 z 和 a，连同消息 g，算出斜率：这是反向的扫描，它也变成了图的一部分。规则里的 σ′ 写成 a·σ(−z)，其实就是你熟悉的 a(1 − a)，因为 1 − σ(z) = σ(−z)。
#
# 现在往回走。从斜率回到 z 有*两条*路径：外侧的一条是 −0.1481，经过 a 的一条是 0.3407 × 0.2246。加起来正是 z 的方框里的 −0.0716，也就是 σ″(0.66)。这又是第 2 课的菱形；为了二阶导数，并没有发明什么新东西。
#
# 第 1 课和第 4 课里那位公正的裁判也会查二阶导数，只要告诉它 `order=2`。

# %%
print(vg.check_gradients(lambda z: vg.sigmoid(z), np.array([-1.5, 0.66, 3.0]), order=2))

# %% [markdown] en="9cfeac39"
# ## 该走多远？
#
# 现在来用它。下面这个函数的最低点是知道的：f(x) = eˣ − 2x。它的斜率是 eˣ − 2，在 x = ln 2 = 0.6931… 处为零。
#
# 我们站在 x = 2。斜率 f′ 说：往左是下坡。该走多远呢？暂且假装 f 是一条抛物线，它的高度、斜率、弯曲的程度都和 f 在此处的一样。走一步 s，
#
# $$f(x + s) \approx f(x) + s\,f'(x) + \tfrac12 s^2 f''(x)$$
#
# f″ 叫做**曲率**。这条抛物线自己的斜率是 f′ + s f″，它在这里为零：
#
# $$s = -\frac{f'(x)}{f''(x)}$$
#
# 这就是答案：*越陡，走得越远；越弯，走得越近。*走这么一步，再看看，再走，这就是**牛顿法**。


# %%
def f(x):
    return np.exp(x) - 2 * x


slope_of_f = vg.grad(f)
curvature_of_f = vg.grad(slope_of_f)
off = {"newton": [], "gradient": []}
x, u = 2.0, 2.0
for _ in range(13):
    off["newton"].append(abs(x - math.log(2)))
    off["gradient"].append(abs(u - math.log(2)))
    x = x - slope_of_f(x) / curvature_of_f(x)  # 牛顿法：步子是算出来的
    u = u - 0.3 * slope_of_f(u)  # 梯度下降：学习率 0.3 是我们自己定的

for k in range(6):
    print(f"{k} 步之后：牛顿法差 {off['newton'][k]:.0e}，梯度下降差 {off['gradient'][k]:.0e}")

# %%
at = np.linspace(0.1, 2.2, 80)
here = 2.0
parabola = f(here) + (at - here) * slope_of_f(here) + (at - here) ** 2 / 2 * curvature_of_f(here)
with plot(
    "左图：f 和在 x = 2 处与它相切的抛物线，后者的最低点在 1.27。右图，对数刻度：两种方法各差多少。梯度下降沿直线下降，"
    "牛顿法一头扎下去",
    panels=2,
    width=8.4,
    height=3.2,
) as (left, right):
    left.plot(at, f(at), label="f")
    left.plot(at, parabola, "--", label="x = 2 处的抛物线")
    left.plot(2.0, f(2.0), "o", color="C0")
    left.plot(here - slope_of_f(here) / curvature_of_f(here), parabola.min(), "v", color="C1")
    left.set(xlabel="x", title="这一步走到哪里", ylim=(0, 4))
    left.legend()
    right.semilogy(off["gradient"], "o-", label="梯度下降")
    right.semilogy([v for v in off["newton"] if v > 1e-15], "v--", label="牛顿法")
    right.set(xlabel="步数", ylabel="误差（对数刻度）", title="离 ln 2 还有多远")
    right.legend()

# %% tags=["hidden"]
assert f"{math.log(2):.4f}" == "0.6931"
assert f"{here - float(slope_of_f(here) / curvature_of_f(here)):.2f}" == "1.27"
newton = off["newton"]
assert [f"{v:.1e}" for v in newton[3:6]] == ["9.2e-03", "4.2e-05", "8.9e-10"]
assert newton[6] < 1e-14
assert all(0.9 < newton[k + 1] / (newton[k] ** 2 / 2) < 1.1 for k in (3, 4))
ratios = [off["gradient"][k + 1] / off["gradient"][k] for k in range(4, 12)]
assert all(0.38 < r < 0.42 for r in ratios)

# %% [markdown] en="b5762516"
# 比较这两列。梯度下降每一步都把误差缩小到大约 0.4 倍，在右图里是一条直线。牛顿法的误差依次是 9.2e-03、4.2e-05、8.9e-10：**每次的误差大约是前一次的平方的一半**，所以正确的位数每一步翻一番。六步之后，已经没有位数可以再赢得了。
#
# ## 许多权重：黑塞矩阵
#
# 权重有好几个时，斜率变成了梯度，是一个数组。曲率呢？梯度的每一个分量，都可能随每一个权重而变。于是二阶导数排成一整张表，第 i 行第 j 列是 ∂²C/∂wᵢ∂wⱼ：*在 wⱼ 处推一份，wᵢ 的梯度动几份？*这张表就是**黑塞矩阵**（Hessian）H。
#
# 请看一个山谷，它在一个方向上很长，在另一个方向上要窄一百倍。


# %%
def valley(w):
    return (w[0] ** 2 + 100 * w[1] ** 2) / 2


start = np.array([-10.0, 1.0])
print("梯度：", vg.grad(valley)(start))
print("黑塞矩阵：")
print(vg.hessian(valley)(start))

# %% tags=["hidden"]
assert vg.hessian(valley)(start).tolist() == [[1, 0], [0, 100]]
assert vg.grad(valley)(start).tolist() == [-10, 100]

# %% [markdown] en="6d0330f4"
# 梯度是 (−10, 100)。它几乎正对着山谷的横向，而通往谷底 (0, 0) 的路几乎全是纵向的。黑塞矩阵看得更清楚：纵向的曲率是 1，横向的曲率是 100。
#
# 抛物线在这里变成了一只碗，牛顿法的一步 s 就走到碗里最平的地方。在那里，梯度 g 与黑塞矩阵带来的变化刚好抵消：
#
# $$g + H s = 0$$
#
# 这是一个线性方程组，有多少个权重，就有多少个方程；`np.linalg.solve(H, g)` 给出满足 H s = g 的 s。
#
# ### 练习 11.1：牛顿法的一步
#
# 请写出 `newton_step(f, w)`：它接受一个以数组为自变量的函数，以及我们所在的位置，也就是数组 w，给出走一步牛顿法之后到达的位置，也是数组。请用 `vg.grad` 和 `vg.hessian`。


# %% tags=["exercise"]
def newton_step(f, w):
    """从 w 出发，走一步牛顿法到达的位置。"""
    ...


# %% tags=["solution"]
def newton_step(f, w):
    """从 w 出发，走一步牛顿法到达的位置。"""
    return w - np.linalg.solve(vg.hessian(f)(w), vg.grad(f)(w))


# %% tags=["check"]
with check("11.1", hint="g + H s = 0 就是 H s = −g。要的是新的位置 w + s，而不是步子 s。"):
    answered(newton_step)
    rng = np.random.default_rng(111)
    for n in (2, 3, 5):
        mixed = rng.normal(size=(n, n))
        goal, w_try = rng.normal(size=(2, n))
        hollow = mixed @ mixed.T + np.eye(n)
        went = newton_step(lambda w, goal=goal, hollow=hollow: (w - goal) @ hollow @ (w - goal) / 2, w_try)
        assert np.shape(went) == (n,), f"w 的形状是 ({n},)，你的答案的形状却是 {np.shape(went)}"
        missed = np.linalg.norm(went - goal) / np.linalg.norm(goal - w_try)
        assert missed < 1e-6, f"碗有 {n} 个权重，一步就该走到底；现在还剩 {missed:.0%} 的路"
    start_try = np.array([0.3, -0.8, 1.1])
    went = newton_step(lambda w: np.sum(np.exp(w)) + (w @ w) ** 2, start_try)
    size = start_try @ start_try
    bent = np.diag(np.exp(start_try) + 4 * size) + 8 * np.outer(start_try, start_try)
    left = np.exp(start_try) + 4 * size * start_try + bent @ (went - start_try)
    assert np.linalg.norm(left) < 1e-6, "碗的情形对了；可是当 f 不是碗时，g + H s 不等于零"

# %% [markdown] en="17546640"
# 现在来看看两种下山的走法。梯度下降的学习率必须照顾*窄*的方向：一旦超过 2/100，横向的摆动就会越来越大，而不是越来越小。我们取 0.018，差不多是能用的最大值了。

# %%
way = [start]
while np.linalg.norm(way[-1]) > 0.01:
    way.append(way[-1] - 0.018 * vg.grad(valley)(way[-1]))
way = np.array(way)
print(f"梯度下降：走了 {len(way) - 1} 步，才近到 0.01 以内")

bottom = start - np.linalg.solve(vg.hessian(valley)(start), vg.grad(valley)(start))
print("牛顿法：走 1 步，到达", bottom)

# %%
grid_1, grid_2 = np.meshgrid(np.linspace(-11, 2, 90), np.linspace(-1.3, 1.3, 90))
with plot(
    "从上面看一条又长又窄的山谷。梯度下降横着来回摇摆，沿着山谷慢慢爬；牛顿法的一步是一条直线，直达谷底",
    width=8.4,
    height=3.0,
) as axes:
    axes.contour(grid_1, grid_2, valley(np.array([grid_1, grid_2])), levels=12, colors="gray", linewidths=0.6)
    axes.plot(way[:, 0], way[:, 1], ".-", color="C1", linewidth=1, label="梯度下降")
    axes.plot(*zip(start, bottom, strict=True), "v--", color="C0", label="牛顿法")
    axes.set(xlabel="w₁（纵向）", ylabel="w₂（横向）", title="两种下山的走法")
    axes.legend(loc="lower right")

# %% tags=["hidden"]
assert len(way) - 1 == 381
assert np.abs(bottom).max() < 1e-12
assert f"{1 - 0.018 * 100:.1f}" == "-0.8"
assert f"{1 - 0.018:.3f}" == "0.982"

# %% [markdown] en="c12a5341"
# 381 步对一步。每一步里，w₂ 都要乘上 1 − 0.018 · 100 = −0.8，于是左右摇摆；w₁ 都要乘上 1 − 0.018 = 0.982，于是慢慢爬行。第 9 课的动量也是对付它的一个对策，用不着黑塞矩阵。牛顿法的一步则什么对策都不需要：它把每个方向都除以那个方向自己的曲率。
#
# ## 陷阱
#
# 好得让人不敢相信。下面这个网络就会出事，而且它小得不能再小：两个神经元排成一列，没有 σ，没有偏置，输入是 1，想要的输出也是 1。得到的输出是 w₁w₂。
#
# $$C = \tfrac12 (w_1 w_2 - 1)^2$$
#
# 凡是 w₁w₂ = 1 的点都完美无缺。我们从 (0.4, 0.1) 出发，让牛顿法去走。


# %%
def two_neurons(w):
    return (w[0] * w[1] - 1) ** 2 / 2


w = np.array([0.4, 0.1])
newton_way = [w]
for k in range(5):
    g, H = vg.grad(two_neurons)(w), vg.hessian(two_neurons)(w)
    print(f"第 {k} 步：w = ({w[0]:6.3f}, {w[1]:6.3f})   C = {two_neurons(w):.4f}   ‖梯度‖ = {np.linalg.norm(g):.0e}")
    w = w - np.linalg.solve(H, g)
    newton_way.append(w)

# %% tags=["hidden"]
assert f"{two_neurons(newton_way[0]):.4f}" == "0.4608"
assert f"{two_neurons(newton_way[4]):.4f}" == "0.5000"
assert np.abs(newton_way[4]).max() < 1e-12

# %% [markdown] en="7c45dea5"
# 正如许诺的那样，梯度消失了，位数一番一番地翻。可是请看代价：它*上升*了，从 0.4608 升到 0.5000，就此停住。牛顿法找到的是 (0, 0)，那里什么也没有学到，梯度却是零。
#
# 是我们问错了问题。牛顿法找的是梯度为零的地方，*无论哪一个*都行。那是个什么样的地方，要由黑塞矩阵来说。总能找到几个互相垂直的方向，碗在每个方向上各弯各的，互不相干；这些方向上的曲率，叫做黑塞矩阵的**特征值**。

# %%
print("(0, 0) 处的特征值：", np.linalg.eigvalsh(vg.hessian(two_neurons)(np.zeros(2))))
print("(1, 1) 处的特征值：", np.linalg.eigvalsh(vg.hessian(two_neurons)(np.ones(2))))

# %%
w = np.array([0.4, 0.1])
descent = [w]
for _ in range(60):
    w = w - 0.2 * vg.grad(two_neurons)(w)
    descent.append(w)

grid_1, grid_2 = np.meshgrid(np.linspace(-1, 2, 120), np.linspace(-1, 1.6, 120))
with plot(
    "从上面看两个神经元的代价。从 (0.4, 0.1) 出发，牛顿法走到鞍点 (0, 0)，梯度下降走到曲线 w₁w₂ = 1 上",
    height=4.0,
) as axes:
    height = two_neurons(np.array([grid_1, grid_2]))
    axes.contour(grid_1, grid_2, height, levels=np.linspace(0.02, 2, 15), colors="gray", linewidths=0.6)
    axes.plot(*np.array(newton_way).T, "v--", label="牛顿法")
    axes.plot(*np.array(descent).T, ".-", label="梯度下降")
    axes.plot(grid_1[0, 65:], 1 / grid_1[0, 65:], color="C2", label="w₁w₂ = 1：完美")
    axes.set(xlabel="w₁", ylabel="w₂", title="各自走到了哪里", ylim=(-1, 1.6))
    axes.legend(loc="lower left")

# %% tags=["hidden"]
assert np.allclose(np.linalg.eigvalsh(vg.hessian(two_neurons)(np.zeros(2))), [-1, 1], rtol=1e-12)
assert two_neurons(descent[-1]) < 1e-9
assert np.allclose(np.linalg.eigvalsh(vg.hessian(two_neurons)(np.ones(2))), [0, 2], rtol=1e-12, atol=1e-12)


def three_neurons(w):
    return (w[0] * w[1] * w[2] - 1) ** 2 / 2


assert not vg.hessian(three_neurons)(np.zeros(3)).any()

# %% [markdown] en="fc1ef602"
# 在 (0, 0)，一个曲率是 +1，另一个是 −1：一个方向上往上走，另一个方向上往下走，像一个山口。这叫做**鞍点**。在 (1, 1)，曲率是 0 和 2：沿着那条完美的曲线，地面是平的；横着走出去，地面就升高。梯度下降在这里不怕鞍点，它总是*往下*走，于是会从旁边滑下去。（只有从直线 w₂ = −w₁ 上出发，才会被直直地引到山口。）
#
# 第 7 课里你看到过，梯度小并不等于到了最低点。这里是能说明这一点的最小的网络，而且这件事和深度有关：在 (0, 0)，每个权重都在等另一个。要是三个神经元排成一列，C = ½(w₁w₂w₃ − 1)²，那么在原点处，不但梯度为零，黑塞矩阵的每个元素也都是零。越深，越平。
#
# ## 表太大了
#
# 还有第二个难处。两个权重的黑塞矩阵是 2 × 2。下面这个网络会认数字，无论按什么标准都算小的。

# %%
X, y = vg.datasets.mnist_sample().train
net = vg.nn.MLP([784, 30, 10], seed=0)
params = [p.data for p in net.parameters()]
count = sum(p.size for p in params)
print(f"{count:,} 个参数，{count**2:,} 个二阶导数，{count**2 * 8 / 1e9:.1f} GB")

# %% tags=["hidden"]
assert count == 23_860
assert count**2 == 569_299_600
assert len(X) == 1_000
assert f"{count**2 * 8 / 1e9:.1f}" == "4.6"

# %% [markdown] en="cd4c87aa"
# 569,299,600 个数，而且表的每一行都要扫描一遍。谁也不想要它。不过请想一想，黑塞矩阵究竟是拿来*做什么*的：我们想知道，沿着方向 v 移动时，梯度会怎样变。这就是 H v，一个和梯度一样小的数组，叫做**黑塞–向量积**（Hessian–vector product），简称 **hvp**。算它有一个窍门。用 ⟨g, v⟩ 表示各个 gᵢvᵢ 之和。让 v 固定不动，就有
#
# $$H v = \nabla \,\langle \nabla f, v \rangle$$
#
# 用话来说：先求梯度，乘上 v 再加起来，得到*一个数*；然后求这个数的梯度。无论有多少个权重，都只要两遍扫描。
#
# ### 练习 11.2：H 乘 v
#
# 请写出 `times_v(f, w, v)`，给出 f 在 w 处的黑塞矩阵乘 v 的结果，但绝不把 H 算出来。调用两次 `vg.grad`，一次套在另一次里面，就够了。（本库有 `vg.hvp`，这里先不要用它。）


# %% tags=["exercise"]
def times_v(f, w, v):
    """f 在 w 处的黑塞矩阵乘 v。"""
    ...


# %% tags=["solution"]
def times_v(f, w, v):
    """f 在 w 处的黑塞矩阵乘 v。"""
    return vg.grad(lambda w: np.sum(vg.grad(f)(w) * v))(w)


# %% tags=["check"]
with check("11.2", hint="外层的 grad 要的是 w 的函数，而且只给出一个数：对 内层梯度 × v 用 np.sum。"):
    answered(times_v)
    rng = np.random.default_rng(112)
    mixed = rng.normal(size=(6, 6))
    w_try, v_try = rng.normal(size=(2, 6))
    got = times_v(lambda w: np.sum(np.tanh(mixed @ w) ** 2), w_try, v_try)
    want = vg.hessian(lambda w: np.sum(np.tanh(mixed @ w) ** 2))(w_try) @ v_try
    assert np.shape(got) == (6,), f"H v 和 v 一样有 6 个分量；你的形状是 {np.shape(got)}"
    worst = float(np.max(np.abs(got - want)) / np.max(np.abs(want)))
    assert worst < 1e-10, f"与整个黑塞矩阵乘 v 相比，你的结果相对差了 {worst:.0e}"
    sent, counts = [], []

    def counting(g, out, x):
        sent.append(1)
        return 2 * g * x

    square = vg.primitive(lambda x: x * x, (counting,), name="square")
    for n in (4, 40):
        sent.clear()
        times_v(lambda w: np.sum(np.exp(square(np.sin(w)))), np.ones(n), np.ones(n))
        counts.append(len(sent))
    few, many = counts
    assert few == many, f"数是对的，但 4 个权重传了 {few} 条消息，40 个权重传了 {many} 条：里面是不是藏着黑塞矩阵？"

# %% [markdown] en="d9097f8e"
# 记录下来的消息比普通的贵一些，但贵得不多：一次 hvp 相当于几遍扫描，而不是 23,860 遍。
#
# ## 网络想走多远？
#
# 现在把开头的问题拿去问网络。代价 C 是 1,000 张数字上交叉熵的平均值。它的梯度 g 是一个长长的数组，分成四块。我们从参数 θ 出发，朝方向 −g 走，学习率是 η，并且再次假装 C 沿途是一条抛物线：
#
# $$C(\theta - \eta g) \approx C - \eta \,\lVert g \rVert^2 + \tfrac12 \eta^2 \,\langle g, H g \rangle$$
#
# H g 就是一次 hvp。这条抛物线的最低点在 η* = ‖g‖²/⟨g, H g⟩。


# %%
def cost(*params):
    return vg.nn.losses.cross_entropy(net.bind(params).logits(X), y)


def dot(a, b):
    return sum(np.sum(p * q) for p, q in zip(a, b, strict=True))


C, g = vg.value_and_grad(cost, range(4))(*params)
Hg = vg.hvp(cost, params, g)
best = dot(g, g) / dot(g, Hg)
after = cost(*[p - best * q for p, q in zip(params, g, strict=True)])

print(f"C = {C:.2f}, ‖g‖² = {dot(g, g):.2f}, ⟨g, Hg⟩ = {dot(g, Hg):.2f}，所以 η* = {best:.2f}")
print(f"抛物线许诺 C = {C - best * dot(g, g) / 2:.2f}；真走一步 η*，得到 C = {after:.2f}")

# %%
etas = np.linspace(0, 1.3, 27)
real = [cost(*[p - e * q for p, q in zip(params, g, strict=True)]) for e in etas]
promised = [C - e * dot(g, g) + e**2 / 2 * dot(g, Hg) for e in etas]
with plot(
    "沿着梯度方向的代价，以及由一次 hvp 得到的抛物线：两者一同出发，抛物线的最低点离代价的最低点不远",
) as axes:
    axes.plot(etas, real, "o-", markersize=4, label="代价，算了 27 次")
    axes.plot(etas, promised, "--", label="抛物线，来自一次 hvp")
    axes.axvline(best, color="gray", linewidth=0.8)
    axes.annotate("η*", (best, 12), (4, 0), textcoords="offset points")
    axes.set(xlabel="这一步的学习率 η", ylabel="走完之后的代价 C", ylim=(0, 14))
    axes.legend(loc="lower right")

# %% tags=["hidden"]
assert (f"{C:.2f}", f"{best:.2f}", f"{after:.2f}") == ("8.09", "0.44", "3.35")
assert f"{C - best * dot(g, g) / 2:.2f}" == "3.37"
for seed in range(5):
    other = vg.nn.MLP([784, 30, 10], seed=seed)
    theirs = [p.data for p in other.parameters()]

    def their_cost(*params, other=other):
        return vg.nn.losses.cross_entropy(other.bind(params).logits(X), y)

    C_0, g_0 = vg.value_and_grad(their_cost, range(4))(*theirs)
    eta_0 = dot(g_0, g_0) / dot(g_0, vg.hvp(their_cost, theirs, g_0))
    won = C_0 - their_cost(*[p - eta_0 * q for p, q in zip(theirs, g_0, strict=True)])
    assert 0.35 < eta_0 < 0.7, eta_0
    assert 0.7 < won / (eta_0 * dot(g_0, g_0) / 2) < 1.1, won / (eta_0 * dot(g_0, g_0) / 2)

# %% [markdown] en="2375e0d9"
# 只走一步，代价就从 8.09 降到 3.35，而抛物线许诺的是 3.37。谁也没有去一个一个地试学习率：一个梯度加一次 hvp，就说出了在这里走 0.44 是一步好棋。再看图上的点：它们先降，后升。学习率太大，并不会学得更快，只会一步跨过山谷。（这个山谷的对面没有抛物线那么陡：抛物线只认得它产生的那个地方。）
#
# （这说的是一个网络的第一步；种子取 0 到 4 时，η* 都在 0.35 和 0.7 之间。再往前走，曲率会变，就得重新问一次。）
#
# ## 每一层想要的都不一样
#
# 现在轮到这套教程里的深网络：四个隐藏层，每层 30 个。我们把同一个问题分别去问每一层：只移动它自己的权重和偏置，沿着梯度里属于它的那一块 v。**沿 v 的曲率**是 ⟨v, H v⟩/‖v‖²。

# %%
net = vg.nn.MLP([784, 30, 30, 30, 30, 10], seed=0)
params = [p.data for p in net.parameters()]
g = vg.grad(cost, range(len(params)))(*params)
slopes, curvatures = [], []
for layer in range(5):
    v = [q if k // 2 == layer else np.zeros_like(q) for k, q in enumerate(g)]
    slopes.append(math.sqrt(dot(v, v)))
    curvatures.append(dot(v, vg.hvp(cost, params, v)) / dot(v, v))
    print(f"第 {layer + 1} 层：‖v‖ = {slopes[-1]:.3f}，沿 v 的曲率 = {curvatures[-1]:8.4f}")

# %%
with plot(
    "五层的条形图，对数刻度：梯度一层比一层大；曲率在前三层大约是千分之一，在最后一层大于 1",
) as axes:
    layers = np.arange(1, 6)
    axes.bar(layers - 0.2, slopes, width=0.4, label="‖v‖，梯度")
    axes.bar(layers + 0.2, np.abs(curvatures), width=0.4, label="|沿 v 的曲率|")
    axes.set(yscale="log", xlabel="层（第 5 层是输出层）", title="每一层的陡度和曲率")
    axes.legend()

# %% tags=["hidden"]
assert slopes == sorted(slopes)
assert 200 < slopes[4] / slopes[0] < 350
assert curvatures[0] < 0
by_seed = []
for seed in range(4):
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], seed=seed)
    theirs = [p.data for p in net.parameters()]
    g_0 = vg.grad(cost, range(10))(*theirs)
    bent = []
    for layer in (0, 4):
        v = [q if k // 2 == layer else np.zeros_like(q) for k, q in enumerate(g_0)]
        bent.append(dot(v, vg.hvp(cost, theirs, v)) / dot(v, v))
    by_seed.append((abs(bent[1] / bent[0]), bent[0] < 0))
assert 2000 < by_seed[0][0] < 2600
assert all(500 < ratio < 5000 for ratio, _ in by_seed)
assert [negative for _, negative in by_seed].count(True) == 3
net = vg.nn.MLP([784, 30, 30, 30, 30, 10], seed=0)

# %% [markdown] en="a35a33cd"
# 梯度越靠近第一层就越小，这你已经知道了。再看曲率：它也跟着消失，而且消失得更快。第一层的曲率不到输出层的 1/2000（种子取 0 到 3 时，在 1/5000 和 1/500 之间）。原因是一样的：对 b₁ 的每个二阶导数，仍然要为路上的每个神经元乘一个因子 wσ′ 或 wσ″；而十分之一并不比四分之一强。所以第一层并不是站在窄谷的陡坡上，它站在一片**平台**上：几乎没有斜率，也几乎没有曲率。
#
# 这说明了两件事。第一，适合输出层的学习率，对第一层来说小得太多了，没有哪个学习率能同时适合两者。第二，牛顿法照搬过来也救不了我们：这四个网络里有三个，沿着第一层的梯度，曲率是*负*的。抛物线开口朝下，只有顶，没有底，而牛顿法的一步恰恰会走到那个顶上去。再加上黑塞矩阵的大小，这就是为什么深网络是靠第 9 课的那些对策来训练的，而不是靠牛顿法。
#
# ## 带走这些
#
# * 一条规则，只要是普通的表达式，就有两种用法：给它数组，它算出梯度；给它 Tensor，它把梯度的算法记录下来，可以再求导，任意阶都行。
# * 梯度说往哪边走，**曲率**说走多远。**牛顿法**走到抛物线或碗的底部：正确的位数每一步翻一番。
# * 它找的是梯度的零点，找到的可能是**鞍点**。找到的究竟是什么，由**黑塞矩阵**的**特征值**来说。
# * 谁也不需要整个黑塞矩阵：H v = ∇⟨∇f, v⟩ 的代价只是几遍扫描。一次这样的乘积，就能说出网络想走多远。
# * 在深的 sigmoid 网络里，第一层不但失去了斜率，*也*失去了曲率。
#
# 现在，对任何一个函数，你不但能问哪边是下坡，还能问那里的地面怎么弯。这一切都建立在同一个前提上：规则表是对的。要是你需要的函数表里没有，该怎么办呢？
