# %% [markdown] minutes=20 en="eb0501ad"
# # 5. 学会认字的网络
#
# 我们有了会记事的数，有了画出它们记忆的图，还有了一位裁判。该动手造点什么了。这一课里，神经元排成层，梯度变成下坡的一步；到最后，一个由 sigmoid 神经元组成的网络，会认出它从没见过的手写数字。
#
# 路上有两个问题，看似细枝末节，其实不然：*到底要让什么变小？* 还有：*一层要是好，四层会更好吗？*

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("05_sigmoid_mlp", lang="zh")

# %% [markdown] en="a3147926"
# ## 一个神经元学不会的四个点
#
# 最小的著名问题：**XOR**，即“异或”。两个输入，各是 0 或 1；恰好有一个是 1 时，答案是 1。

# %%
corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
xor = np.array([0, 1, 1, 0])

for corner, answer in zip(corners, xor, strict=True):
    print(corner, "→", answer)

# %% [markdown] en="de1d4d95"
# 一个神经元先算 z = w₁x₁ + w₂x₂ + b，z 大于 0 就说“是”。“是”与“否”的分界 z = 0 是一条直线。拿支铅笔试试：一条直线能把两个 1 和两个 0 分开吗？不能，因为它们是交叉着坐的。一个神经元办不到的事，几个合起来就能办到。
#
# ## 一层
#
# 一**层**（layer）就是一排神经元，它们看的是同样的输入。每个神经元对每个输入各有一个权重，我们把这些权重全写进一张表 w：一个输入一行，一个神经元一列。样本也放进一张表 x：*一行是一个样本*。于是，所有样本、所有神经元的和，一次矩阵乘法就全有了：
#
# $$z = x\,w + b \qquad a = \sigma(z)$$

# %%
rng = np.random.default_rng(5)
w = rng.normal(size=(2, 3))  # 2 个输入，3 个神经元
b = rng.normal(size=3)

z = corners @ w + b
print("x", corners.shape, "@ w", w.shape, "+ b", b.shape, "= z", z.shape)

# %% [markdown] en="d8b1ec13"
# 看看形状。乘积的形状是 (4, 3)：四个样本，三个神经元。而 b 的形状是 (3,)：每个神经元*只有一个*偏置，NumPy 把它加到全部四行上。这叫做**广播**（broadcasting）。
#
# 广播很方便，可是往回走的时候要记得它的后果。每个偏置用了四次，每个样本一次。所以从它到代价有四条路径，而各条路径是要相加的。
#
# ### 练习 5.1：一层的反向传播
#
# 有人已经算好了某一层的余切向量 g = ∂C/∂z，它是与 z 形状相同的数组。请接着往回传：写出 ∂C/∂x、∂C/∂w 和 ∂C/∂b。每一个的形状，都必须和它所对应的量一样。
#
# 至于 w，先想一个权重：w[i, j] 从输入 i 通向神经元 j，对每个样本 s，z[s, j] 对它的斜率是 x[s, i]。所以要把各份 x[s, i]·g[s, j] 对 s 加起来。这是哪一个矩阵乘积？


# %% tags=["exercise"]
def layer_backwards(g, x, w, b):
    """z = x @ w + b 的 ∂C/∂x、∂C/∂w 和 ∂C/∂b，其中 g = ∂C/∂z。"""
    ...


# %% tags=["solution"]
def layer_backwards(g, x, w, b):
    """z = x @ w + b 的 ∂C/∂x、∂C/∂w 和 ∂C/∂b，其中 g = ∂C/∂z。"""
    return g @ w.T, x.T @ g, g.sum(axis=0)


# %% tags=["check"]
with check("5.1", hint="g 是 (n, out)，w 是 (in, out)，x 是 (n, in)。.T 把表横竖对调；b：对样本求和。"):
    answered(layer_backwards)
    trial = np.random.default_rng(51)
    for n, n_in, n_out in ((4, 2, 3), (1, 5, 2), (7, 3, 3), (6, 1, 1)):
        at = [trial.normal(size=shape) for shape in ((n, n_in), (n_in, n_out), (n_out,))]
        g = trial.normal(size=(n, n_out))
        _, pullback = vg.vjp(lambda x, w, b: x @ w + b, *at)
        given = layer_backwards(g, *at)
        assert len(given) == 3, f"应当有三个数组，而不是 {len(given)} 个"
        for name, found, due in zip("xwb", given, pullback(g), strict=True):
            assert np.shape(found) == due.shape, (
                f"∂C/∂{name} 的形状是 {np.shape(found)}，而 {name} 的形状是 {due.shape}"
            )
            size = np.max(np.abs(due))
            assert np.max(np.abs(found - due)) < 1e-9 * size, f"∂C/∂{name} 的形状对了，数却不对"

# %% [markdown] en="a0ac6694"
# ## 一个网络
#
# 一层接一层，就成了网络：前一层的激活值是后一层的输入。它叫做**多层感知机**（multilayer perceptron），简称 MLP。`MLP([2, 2, 1])` 有 2 个输入，一个 2 个神经元的**隐藏层**（hidden layer，外面谁也看不见它说什么，所以叫“隐藏”），还有 1 个输出。权重一开始是随机数，用哪一组由 `seed` 决定。

# %%
network = MLP([2, 2, 1], seed=0)
for parameter in network.parameters():
    print(parameter.name, parameter.shape)

with vg.no_grad():
    print("一开始说：", network(corners).ravel().round(2))

# %% [markdown] en="d1361758"
# 要找的是九个数。什么也没学之前，网络对四个角说的都差不多。
#
# ## 要让什么变小？
#
# 第 1 课的**二次代价**（quadratic cost）½(a − y)² 是很自然的想法：回答 a 离想要的 y 有多远？可是请顺着它穿过输出神经元往回走。它对 z 的斜率是 (a − y)·σ′(z)。现在设想一个神经元*错得厉害，还很有把握*：y = 1，而 z = −6，a 几乎是 0。它学得有多快？

# %%
zs = np.linspace(-8, 8, 161)
a = vg.sigmoid(zs)
with plot("想要的是 1 时，随 z 变化的两条曲线：|a − y|·σ′ 像一座小山，在最左边降到 0；|a − y| 在那里停在 1") as axes:
    axes.plot(zs, np.abs(a - 1) * a * (1 - a), label="二次代价：|a − y|·σ′(z)")
    axes.plot(zs, np.abs(a - 1), label="交叉熵：|a − y|")
    axes.set(xlabel="输出神经元的 z，想要的是 y = 1", ylabel="∂C/∂z 的大小", ylim=(-0.05, 1.05))
    axes.legend()

# %% tags=["hidden"]
slope_at = {z: float(vg.grad(lambda z: (vg.sigmoid(z) - 1) ** 2 / 2)(z)) for z in (-6.0,)}
assert f"{-slope_at[-6.0]:.4f}" == "0.0025"
assert vg.sigmoid(-800.0) == 0

# %% [markdown] en="e7c2a373"
# 看最左边，那里神经元错得最厉害。在那里二次代价的斜率只有 0.0025：神经元饱和了，σ′ 几乎是 0，它几乎不学。错得越厉害，学得越慢。好老师可不会这样教。
#
# 另一条曲线属于另一种代价，它就是为了去掉那个 σ′ 而造出来的，叫做**交叉熵**（cross-entropy）：
#
# $$C = -\big[\,y \ln a + (1 - y) \ln(1 - a)\,\big] \qquad\qquad \frac{\partial C}{\partial z} = a - y$$
#
# 取 y = 1 来读：C = −ln a，就是听说正确答案的概率只有 a 时的*惊讶程度*。它对 z 的斜率是 a − y，再没有别的：∂C/∂a = (a − y)/(a(1 − a))，乘以 σ′ = a(1 − a)，正好约掉。错得越厉害，学得越快。
#
# ### 练习 5.2：不会崩溃的交叉熵
#
# 这个公式偏偏在最要紧的地方崩溃：z = −800 时，计算机算出 a = 0，而 ln 0 是 −∞。所以要从 z 算起，在 sigmoid 之前。输出神经元的 z 叫做它的 **logit**。
#
# 请把 C 写成 logit z 和想要的答案 y 的函数，对数和数组都适用（每个元素给出一个 C）。z 大小适中时要算得对，在 z = ±800 处要是有限的数。有用的提示：−ln σ(z) = ln(1 + e⁻ᶻ)，而本库有 `vg.softplus(t)`，对任何 t 都给出 ln(1 + eᵗ)。


# %% tags=["exercise"]
def cross_entropy(z, y):
    """−[y ln σ(z) + (1−y) ln(1−σ(z))]，对任何 z。"""
    ...


# %% tags=["solution"]
def cross_entropy(z, y):
    """−[y ln σ(z) + (1−y) ln(1−σ(z))]，对任何 z。"""
    return y * vg.softplus(-z) + (1 - y) * vg.softplus(z)  # 1 − σ(z) 就是 σ(−z)


# %% tags=["check"]
with check("5.2", hint="−ln σ(z) = softplus(−z)。又因为 1 − σ(z) = σ(−z)，它的 −ln 是什么？"):
    answered(cross_entropy)
    with np.errstate(all="ignore"):
        trial = np.random.default_rng(52)
        z_try, y_try = trial.uniform(-6, 6, size=50), trial.uniform(0, 1, size=50)
        a_try = vg.sigmoid(z_try)
        due = -(y_try * np.log(a_try) + (1 - y_try) * np.log(1 - a_try))
        found = cross_entropy(z_try, y_try)
        assert np.shape(found) == (50,), f"50 个 logit 应当给出 50 个代价，而不是形状为 {np.shape(found)} 的数组"
        worst = np.argmax(np.abs(found - due))
        assert np.allclose(found, due, rtol=1e-8, atol=0), (
            f"在 z = {z_try[worst]:.2f}、y = {y_try[worst]:.2f} 处应当是 {due[worst]:.4f}，而不是 {found[worst]:.4f}"
        )
        for z_far, y_far in ((-800, 1.0), (800, 0.0)):
            far = float(cross_entropy(np.array(float(z_far)), y_far))
            assert math.isclose(far, 800, rel_tol=1e-9), f"在 z = {z_far}、y = {y_far:.0f} 处它给出 {far}"
        for z_at, y_at in ((2.0, 0.0), (-3.0, 1.0), (0.5, 0.3)):
            slope = float(vg.grad(lambda z, y=y_at: cross_entropy(z, y))(z_at))
            assert math.isclose(slope, vg.sigmoid(z_at) - y_at, rel_tol=1e-8), f"它的斜率是 {slope:.6f}，而不是 a − y"

# %% [markdown] en="0d08d4f6"
# 在本库里，它就是 `losses.cross_entropy(logits, y)`：对各个输出求和，再对样本取平均。`network.logits(x)` 给出 logit，`network(x)` 给出激活值。
#
# ## 下坡
#
# 梯度对每个权重说：推进去一份，C 那里出来几份。要让 C 变小，就把权重*逆着*梯度挪动一点，挪多少是梯度的一个小倍数 η，叫做**学习率**：
#
# $$w \leftarrow w - \eta\,\frac{\partial C}{\partial w}$$
#
# 所有权重一起挪，然后算新的梯度，再挪。这叫做**梯度下降**（gradient descent）。
#
# ### 练习 5.3：一步
#
# 请写出 `descend(parameters, rate)`。每个参数 p 是一个 Tensor，它的梯度在 `p.grad` 里；新的值用 `p.update(array)` 设定。还记得第 2 课里那件让人意外的事吧：`+=` 有记性。走完一步，梯度就用掉了，所以要设 `p.grad = None`。


# %% tags=["exercise"]
def descend(parameters, rate):
    """下坡走一步，并把梯度用掉。"""
    ...


# %% tags=["solution"]
def descend(parameters, rate):
    """下坡走一步，并把梯度用掉。"""
    for p in parameters:
        p.update(p.data - rate * p.grad)
        p.grad = None


# %% tags=["check"]
with check("5.3", hint="对每个 p：先 p.update(p.data − rate · p.grad)，再 p.grad = None。"):
    answered(descend)
    trial = MLP([2, 3, 1], seed=53)
    expected = [p.data for p in trial.parameters()]
    for rate in (0.5, 0.1, 2.0):
        slopes = vg.grad(lambda *p: losses.cross_entropy(trial.bind(p).logits(corners), xor), argnums=range(4))(
            *expected
        )
        expected = [value - rate * slope for value, slope in zip(expected, slopes, strict=True)]
        losses.cross_entropy(trial.logits(corners), xor).backward()
        descend(trial.parameters(), rate)
        for p, value in zip(trial.parameters(), expected, strict=True):
            off = np.max(np.abs(p.data - value)) / np.max(np.abs(value))
            assert off < 1e-9, f"以学习率 {rate} 走一步之后，{p.name} 不在它该在的地方"

# %% [markdown] en="05fddcf4"
# ## 学会 XOR
#
# 本库的 `vg.optim.SGD` 走的就是这样的步子；`opt.step()` 会把梯度用掉。下面走一千步，每步都看全部四个角。


# %%
def learn_xor(sizes, seed, steps=1000):
    """在四个角上训练好的网络，以及每一步的代价。"""
    network = MLP(sizes, seed=seed)
    opt = vg.optim.SGD(network.parameters(), lr=2.0)
    costs = []
    for _ in range(steps):
        C = losses.cross_entropy(network.logits(corners), xor)
        C.backward()
        opt.step()
        costs.append(C.item())
    return network, costs


one, one_costs = learn_xor([2, 1], seed=0)
two, two_costs = learn_xor([2, 2, 1], seed=0)
for name, net in (("一个神经元", one), ("有一个隐藏层", two)):
    print(f"{name}：", net(corners).data.ravel().round(2))

# %% tags=["hidden"]
assert abs(one_costs[-1] - math.log(2)) < 1e-3
assert f"{math.log(2):.3f}" == "0.693"
assert np.allclose(one(corners).data, 0.5, rtol=0.02)
assert two_costs[-1] < 0.05
assert np.array_equal(two(corners).data.ravel() > 0.5, xor == 1)

# %% [markdown] en="b07be338"
# 单个神经元认输了：它对什么都说 0.5，一条直线最多也只能做到这样，代价停在 ln 2 = 0.693。有了两个神经元的隐藏层，回答就全对了。它是怎么办到的？我们照着网络说的话，给这块正方形涂上颜色。

# %%
side = np.linspace(-0.4, 1.4, 61)
square = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
with plot(
    "左图是代价：一个神经元停在 0.69，网络降到 0。右图：两条直线之间有一条深色的带子",
    panels=2,
    width=8.6,
    height=3.6,
) as (left, right):
    left.plot(one_costs, label="一个神经元")
    left.plot(two_costs, label="2 个隐藏神经元")
    left.set(xlabel="步数", ylabel="代价", ylim=(0, 1))
    left.legend()
    said = two(square).data.reshape(61, 61)
    right.contourf(side, side, said, levels=np.linspace(0, 1, 11), cmap="cividis")
    for marker, answer in (("o", 0), ("s", 1)):
        right.scatter(*corners[xor == answer].T, marker=marker, s=90, color="white", edgecolor="black")
    right.set(xlabel="x₁", ylabel="x₂", aspect="equal", xticks=[0, 1], yticks=[0, 1])
    right.set_title("亮：是，暗：否\n□ 应当是“是”，○ 应当是“否”", fontsize=10)
    right.grid(visible=False)

# %% tags=["hidden"]
assert two(np.array([[0.5, 0.5]])).item() < 0.1
assert abs(two_costs[200] - 0.69) < 0.01
resting, _ = learn_xor([2, 2, 1], seed=0, steps=200)
slopes = vg.backprop(losses.cross_entropy(resting.logits(corners), xor))
assert all(np.linalg.norm(slopes[p]) < 0.02 for p in resting.parameters())

# %% [markdown] en="e89f35b6"
# 每个隐藏的神经元各画一条自己的线，输出神经元把两条线合起来：两条线之间是“否”，外面是“是”。两条直线围成一条带子，一条直线办不到的事，带子办得到。
#
# 再看看代价一路上的样子。它在 0.69 那里停了好一阵，仿佛网络也像单个神经元那样认输了，然后才降下去。在这样的平台上，所有的梯度都很小，可那里并不是终点。梯度小不等于到了好地方，这件事第 7 课还会遇到。
#
# 它一定能成功吗？换一个种子：

# %%
for sizes in ([2, 2, 1], [2, 3, 1]):
    network, costs = learn_xor(sizes, seed=1)
    print(sizes, f"代价 {costs[-1]:.3f}", network(corners).data.ravel().round(2))

# %% tags=["hidden"]
stuck, stuck_costs = learn_xor([2, 2, 1], seed=1)
assert stuck_costs[-1] > 0.4
assert stuck_costs[-1] > 0.97 * stuck_costs[-300]
assert costs[-1] < 0.05
assert max(two_costs[:20]) < 0.9
elsewhere = {"用这段代码测得：两个隐藏神经元，种子 0 … 9": "9 个学会了"}

# %% [markdown] en="7962322b"
# 种子 1 停在了一个地方：三个角得到同样的回答，代价从此几乎不再下降。加上第三个隐藏神经元，它就走出来了。（从 0 到 9 的种子当中，只有两个隐藏神经元时，卡住的就这一个。）所以永远不要只凭一次运行下结论：种子也是实验的一部分。
#
# ## 手写数字
#
# 现在来真的：**MNIST**，28 × 28 像素的手写数字。本库自带一份样本：1000 个用来学习，另外 1000 个网络从来不学，专门用来考它，叫做**验证**（validation）数据。

# %%
data = vg.datasets.mnist_sample()
images, labels = data.train
print("图像", images.shape, "标签", labels.shape)

with plot("排成一行的十个手写数字，每个数字上方标着它是几", panels=10, width=9, height=1.3) as panels:
    for axes, image, label in zip(panels, images, labels, strict=False):
        axes.imshow(image.reshape(28, 28), cmap="gray_r")
        axes.set_title(str(label))
        axes.set_axis_off()

# %% tags=["hidden"]
assert images.shape == (1000, 784) == data.validation[0].shape
assert 28 * 28 == 784

# %% [markdown] en="aa29c83c"
# 每幅图变成一行 784 个数，就是各个像素的亮度。网络有 784 个输入，一个 30 个神经元的隐藏层，10 个输出，一个输出对应一个数字；哪个输出的值最大，回答就是哪个数字。标签是 3，意思是输出 3 应当说 1，其余的都说 0。
#
# 参数一共有 23,860 个。代价有了，网络也有了，那么在训练之前，先问问第 4 课那位裁判：梯度对吗？`bind` 把别的参数放进网络，`sample=10` 表示每个参数抽查十个元素。

# %%
reader = MLP([784, 30, 10], seed=0)
few, few_labels = images[:10], labels[:10]


def loss_of(*parameters):
    return losses.cross_entropy(reader.bind(parameters).logits(few), few_labels)


print(vg.check_gradients(loss_of, *reader.parameters(), sample=10))

# %% tags=["hidden"]
assert sum(p.size for p in reader.parameters()) == 23_860

# %% [markdown] en="7ff70058"
# ## 小批量
#
# 每走一步之前，都要对全部 1000 幅图算一遍梯度吗？更好的办法是一次只看十幅。随机挑出的十幅，指出的方向只是大概，却便宜一百倍；而一百个大概的步子，比一个精确的步子走得远得多。这十幅图叫做一个**小批量**（mini-batch），把所有的图看过一遍叫做一**轮**（epoch），整个方法叫做**随机梯度下降**（stochastic gradient descent），简称 SGD。
#
# `vg.training.fit` 就是做这件事的。我们从同样的权重出发，用同样的 η，两种代价各训练一次同一个网络。一轮之后，哪一个会领先？为什么？


# %%
def quadratic(model, X, y):
    return losses.quadratic(model(X), y)


def entropy(model, X, y):
    return losses.cross_entropy(model.logits(X), y)


histories, readers = {}, {}
for name, loss in (("二次代价", quadratic), ("交叉熵", entropy)):
    readers[name] = MLP([784, 30, 10], seed=0)
    histories[name] = vg.training.fit(
        readers[name], loss, data.train, epochs=20, batch_size=10, lr=0.5, validation=data.validation, seed=0
    )
    print(f"{name}：一轮之后 {histories[name].accuracy[0]:.0%}，20 轮之后 {histories[name].accuracy[-1]:.0%}")

# %%
with plot("两条曲线：用交叉熵，认对的比例一下子就上去了；用二次代价，它慢慢往上爬") as axes:
    for name, history in histories.items():
        axes.plot(range(1, 21), 100 * history.accuracy, "o-", label=name)
    axes.set(xlabel="轮", ylabel="没见过的 1000 个数字认对的 %", ylim=(0, 100), xticks=[1, 5, 10, 15, 20])
    axes.legend(loc="lower right")

# %% tags=["hidden"]
starts = {name: history.accuracy[0] for name, history in histories.items()}
ends = {name: history.accuracy[-3:].mean() for name, history in histories.items()}
assert starts["二次代价"] < 0.45 < 0.6 < starts["交叉熵"]
assert all(0.82 < end < 0.90 for end in ends.values())
eager, careful = MLP([784, 30, 10], seed=0), MLP([784, 30, 10], seed=0)
faster = vg.training.fit(
    eager, quadratic, data.train, epochs=1, batch_size=10, lr=3.0, validation=data.validation, seed=0
)
assert faster.accuracy[0] > 0.5
whole = vg.training.fit(
    careful, entropy, data.train, epochs=1, batch_size=1000, lr=0.5, validation=data.validation, seed=0
)
assert whole.accuracy[0] < 0.4
book = {"书的第 5 章：一个 30 个神经元的隐藏层，50,000 幅训练图，30 轮，%": 96.48}

# %% [markdown] en="b6c621ae"
# 两个都学会了认字。可是二次代价还在三成上下的时候，交叉熵已经到了七成左右：错得厉害又很有把握的输出神经元，马上就动起来了。后来两者渐渐靠近。（替二次代价说句公道话：学习率取大一些，比如 η = 3，它起步也会快一些。）
#
# 20 轮之后，没见过的数字，100 个里大约能认对 86 个。只用 1000 个例子、几行代码，这不算坏。在 Nielsen 的书里（我们这个系列讲的就是它的第五章），用上 MNIST 的全部 50,000 幅训练图，这个网络能到 96.48 %。下面是我们的网络认错的十个。要公道一点：你自己全都认得出来吗？

# %%
unseen, truth = data.validation
with vg.no_grad():
    answers = readers["交叉熵"](unseen).argmax(axis=1)
misread = np.flatnonzero(answers != truth)[:10]
with plot("十个被网络认错的手写数字，每个上方写着网络给出的回答", panels=10, width=9, height=1.3) as panels:
    for axes, k in zip(panels, misread, strict=True):
        axes.imshow(unseen[k].reshape(28, 28), cmap="gray_r")
        axes.set_title(f"{answers[k]}？")
        axes.set_axis_off()

# %% [markdown] en="de8c9345"
# ## 一层要是好，四层会更好吗？
#
# 一个 30 个神经元的隐藏层就能做到这样。那么第二层想必会让它更好，第三层、第四层更不必说：它们可以先找笔画，再找圈，再认数字。四个隐藏层的网络，可能性比一个隐藏层的多得多。先写下你的预料，再运行。

# %%
deeper = {}
for hidden in (1, 2, 3, 4):
    network = MLP([784] + [30] * hidden + [10], seed=0)
    history = vg.training.fit(
        network, entropy, data.train, epochs=12, batch_size=10, lr=0.5, validation=data.validation, seed=0
    )
    deeper[hidden] = history.accuracy
    print(f"隐藏层：{hidden} 个，12 轮之后认对 {history.accuracy[-1]:.0%}")

# %%
with plot("四条曲线，每种深度一条：隐藏层每多一个，网络就晚一些起步；四个隐藏层的几乎没有起步") as axes:
    for hidden, curve in deeper.items():
        axes.plot(range(1, 13), 100 * curve, "o-", label=f"{hidden} 个隐藏层")
    axes.axhline(10, color="0.5", linestyle=":")
    axes.annotate("瞎猜", (12, 10), (0, -12), textcoords="offset points", ha="right")
    axes.set(xlabel="轮", ylabel="没见过的 1000 个数字认对的 %", ylim=(0, 100), xticks=[1, 4, 8, 12])
    axes.legend(loc="center right")

# %% tags=["hidden"]
first_epochs = [curve[:4].mean() for curve in deeper.values()]
assert first_epochs == sorted(first_epochs, reverse=True)
assert deeper[4][:5].max() < 0.25
assert deeper[1][-1] > 0.8
elsewhere = {"用这段代码测得：种子 0、1、2，20 轮之后，4 个隐藏层": (0.29, 0.37, 0.20)}

# %% [markdown] en="38b3e9da"
# 恰恰相反。每多一层，网络就*晚*一些起步；四个隐藏层的网络，开头那些轮全是在瞎猜。（我们试过的三个种子都是这样。）梯度没有错：它们检验过了。网络也没有错：小网络会的，它全都包含在内。可它就是不学，而原因从第 1 课起就一直摆在我们眼前。一幅图就能看出来：这就是那个四个隐藏层的网络，还什么都没学过的样子。请从右往左看那些长条。

# %%
deep = MLP([784, 30, 30, 30, 30, 10], seed=0)
C = losses.cross_entropy(deep.logits(images), labels)
show(
    vg.drawing.draw_network(deep, C, inputs=False, scale="log"),
    "五列神经元，里面的长条是 ∂C/∂b，用对数刻度；从输出层到第一层，越来越短",
)

# %% tags=["hidden"]
by_layer = [float(np.linalg.norm(vg.backprop(C)[layer.b])) for layer in deep.layers]
assert by_layer == sorted(by_layer)
assert by_layer[-1] / by_layer[0] > 100
assert by_layer[-2] / by_layer[0] > 30

# %% [markdown] en="e446db62"
# ## 这一课带走什么
#
# * 一**层**就是一次矩阵乘法，一个广播出去的偏置，一个 σ。往回走：g·wᵀ、xᵀ·g，还有 g 对样本求和。
# * 神经元错得厉害又很有把握时，**二次代价**学得慢；从 **logit** 算出来的**交叉熵**，斜率是 a − y。
# * **SGD**：取一个小批量，求它的梯度，逆着它走一步，学习率是 η。
# * 一次运行只是一个种子。多试几个，再相信。
# * 更深不等于更好：用 sigmoid 神经元，每多一层，起步就更晚。
#
# 为什么前面的层几乎不学？下一课，我们把网络拆到只剩四个神经元，一个因子一个因子地看。
