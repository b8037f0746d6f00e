# %% [markdown] minutes=20 en="81e1f585"
# # 7. 学习速度
#
# 第 6 课里，我们沿着每层只有一个神经元的链子追踪梯度，看着它消失：通常每过一个神经元就丢掉十倍。可是真正的网络不是这样的链子。每层有三十个神经元时，推一下，从一层到下一层有三十条路可走，而各条路径送来的份额是要相加的。
#
# 加起来的和，补得上那些小因子吗？我们在手写数字上量一量：先量刚开始的时候，再量学习的途中。路上会遇到一条能预言答案的定律，还有一幅有名的图，它说明的事情和看上去的并不一样。

# %%
import math

import numpy as np
from threadpoolctl import threadpool_limits

import tinygrad_vg as vg
from tinygrad_vg.drawing import draw_network
from tinygrad_vg.lab.neurons import bias_gradients
from tinygrad_vg.lab.speeds import initial_speeds, train_and_measure
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("07_learning_speeds", lang="zh")
one_thread = threadpool_limits(1)  # 我们的矩阵小，只用一个线程反而乘得更快

# %% [markdown] en="de601d81"
# ## 每个神经元一个速度
#
# 这里是 MNIST 的前一千幅训练图，和一个全新的网络，它有两个隐藏层，每层三十个神经元。权重和偏置是随机抽取的：偏置服从 N(0, 1)；一个神经元如果有 n 个输入，它的权重就服从 N(0, 1/n)，也就是说，标准差是 1/√n。输入的个数 n 叫做这个神经元的**扇入**（fan-in）。
#
# 代价是第 5 课的交叉熵，对一千幅图取平均。∂C/∂b 有多大，偏置就学得有多快（第 6 课）。图中每层的三十个神经元里画了六个，每个神经元里的长条就是 ∂C/∂b。

# %%
X, y = vg.datasets.mnist_sample().train
net = vg.nn.MLP([784, 30, 30, 10], seed=0)


def cost(net, X, y):
    return vg.nn.losses.cross_entropy(net.logits(X), y)


show(
    draw_network(net, cost(net, X, y), inputs=False, output=False),
    "两列神经元，每列六个，里面的长条是 ∂C/∂b；第二个隐藏层的长条更长",
)

# %% [markdown] en="c1696318"
# 把两列比一比。第二个隐藏层离代价更近，它的神经元学得更快。
#
# 一个网络只是掷了一次骰子。那就掷二十次，每次看并排的六对神经元，数一数有几对是第二层的更快。

# %%
faster = []
for seed in range(20):
    first, second = bias_gradients(vg.nn.MLP([784, 30, 30, 10], seed=seed), X, y)
    faster.append(np.sum(np.abs(second[:6]) > np.abs(first[:6])))
print("第二层更快的对数：", *faster)
print(f"平均是 6 对里的 {np.mean(faster):.1f} 对")

# %% tags=["hidden"]
assert 5 <= np.mean(faster) <= 5.7
assert sum([count > 3 for count in faster]) == 20

# %% [markdown] en="1b0575f3"
# 六对里大约有五对；而且二十个网络个个都是一半以上。所以这不是偶然。
#
# ## 每层一个速度
#
# 要比较各层，最好每层只有一个数。把第 l 层的全部 ∂C/∂b（这里是三十个数）排成一列，记作 δˡ，它的长度记作 ‖δˡ‖，就是平方和的平方根。这就是**这一层的学习速度**。
#
# $$\delta^l = \frac{\partial C}{\partial b^l} \qquad\qquad \lVert \delta^l \rVert = \sqrt{\sum_j (\delta^l_j)^2}$$
#
# ### 练习 7.1：量一量
#
# 请写 `speeds(net, X, y)`：给出一个网络各个*隐藏*层的 ‖δˡ‖，从第一层到最后一层，排成列表。网络有 `net.layers`，每一层的偏置是 `.b`，而 `vg.backprop` 给出每个 Tensor 的余切向量。


# %% tags=["exercise"]
def speeds(net, X, y):
    """每个隐藏层的 ‖δˡ‖，一个列表。"""
    ...


# %% tags=["solution"]
def speeds(net, X, y):
    """每个隐藏层的 ‖δˡ‖，一个列表。"""
    biases = [layer.b for layer in net.layers[:-1]]
    found = vg.backprop(cost(net, X, y), wrt=biases)
    return [float(np.linalg.norm(found[b])) for b in biases]


# %% tags=["check"]
with check("7.1", hint="backprop(cost(net, X, y)) 是一本字典，用 layer.b 去查。最后一层不是隐藏层。"):
    answered(speeds)
    for hidden in ([5], [6, 4], [5, 4, 3]):
        tried = vg.nn.MLP([784, *hidden, 10], seed=71)
        judge, _ = vg.training.LearningSpeed(X[:50], y[:50]).measure(tried, cost)
        answer = list(speeds(tried, X[:50], y[:50]))
        seen = f"网络有 {len(hidden)} 个隐藏层，而你的列表里有 {len(answer)} 个数"
        assert len(answer) == len(hidden), seen
        for place, (own, true) in enumerate(zip(answer, judge, strict=True), start=1):
            seen = f"{len(hidden)} 个隐藏层中的第 {place} 个：你的是 {own:.6g}，本库的是 {true:.6g}"
            assert math.isclose(own, true, rel_tol=1e-6), seen

# %% [markdown] en="e2d88a36"
# ## 两个、三个、四个隐藏层
#
# Michael Nielsen 的书里，对有两个、三个、四个隐藏层的网络量过这些数，每层三十个神经元，每种一个网络。下面是他的数，还有我们的，每种二十个网络。

# %%
book = {2: (0.066, 0.309), 3: (0.0118, 0.0600, 0.283), 4: (0.00298, 0.0171, 0.0695, 0.285)}
fresh = {depth: initial_speeds([30] * depth, X, y, range(20)) for depth in book}
for depth, found in fresh.items():
    print(f"{depth} 个隐藏层，20 个网络里有 {found.increasing} 个越靠近输出越快")
    print("   书里的那一个：", *[f"{value:8.5f}" for value in book[depth]])
    print("   二十个的中位数：", *[f"{value:8.5f}" for value in np.median(found.norms, axis=0)])

# %%
with plot(
    "对数刻度上，随隐藏层变化的三条线；每条都以五倍的均匀台阶往上走，终点在 0.3 附近；书里的点就落在线上"
) as axes:
    for k, (depth, found) in enumerate(fresh.items()):
        layers = np.arange(1, depth + 1)
        axes.semilogy(layers, np.median(found.norms, axis=0), "o-", label=f"{depth} 个隐藏层")
        low, high = found.norms.min(axis=0), found.norms.max(axis=0)
        axes.fill_between(layers, low, high, color=f"C{k}", alpha=0.2, linewidth=0)
        axes.semilogy(layers, book[depth], "x", color="0.5", label="书" if depth == 4 else None)
    axes.set(xlabel="隐藏层", ylabel="训练之前的 ‖δ‖", xticks=range(1, 5))
    axes.legend()

# %% tags=["hidden"]
assert all([found.increasing == 20 for found in fresh.values()])
for depth, found in fresh.items():
    assert np.all(found.norms.min(axis=0) < book[depth])
    assert np.all(book[depth] < found.norms.max(axis=0))
    assert all([0.25 < found.norms[:, -1].mean() < 0.34])
steps = [np.median(found.factors) for found in fresh.values()]
assert all([4.4 < step < 5.6 for step in steps])
four = fresh[4].norms[:, -1] / fresh[4].norms[:, 0]
assert 95 < np.median(four) < 135

# %% [markdown] en="b7ecdbef"
# 六十个网络里，每一个都是越往后的隐藏层学得越快，无一例外；书上的数也正落在我们的数当中。有四个隐藏层时，第一层比最后一层学得慢 100 倍左右。
#
# 再看这些台阶有多均匀。刻度是对数的，台阶一样高，就是*倍数*一样。不管是哪一层，每过一层都要付出大约五倍的代价。这背后应该有一条定律。
#
# ## 定律
#
# 从一个隐藏层往回走一步，走到它的前一层。用第 2 课的话说：神经元 j 从它后面的所有神经元 k 收集消息，每份消息先乘以两者之间的权重，加起来，再乘以自己的斜率。
#
# $$\delta_j = \sigma'(z_j) \sum_{k=1}^{30} w_{jk}\,\delta_k$$
#
# **求和。** 权重是平均值为 0 的随机数，所以三十份有正有负，大部分互相抵消了。这样的数相加，能加起来的是它们的*平方*：和的平方，平均是 ‖δ‖² 的 1/30，因为 w² 的平均值是 1/30。这样的神经元有三十个，每个得到这么多，合起来又是 ‖δ‖²。所以，路径多，补上的是*权重*小，平均说来恰好补足；此外什么也没有补。
#
# **斜率。** 剩下的是 σ′(z)，它还是最多四分之一。对长度来说，要看的是平方的平均值，所以每过一层，‖δ‖ 就乘以 σ′(z) 的*方均根*，即先平方、再平均、再开方，简写为 **rms**。
#
# **z 散得多开？** 偏置给它的方差是 1。三十项 wa，每项的方差是 a²/30，合起来加上 a² 的平均值，算出来是 0.30。所以 z 大致服从 N(0, 1.30)。
#
# ### 练习 7.2：一层的代价
#
# 请写 `layer_cost(v)`：z 服从 N(0, v) 时的倍数 1/rms σ′(z)，其中 v 是*方差*。可以抽取许多个 z，也可以在很密的格点上求和，用密度 e^(−z²/2v) 加权。误差有百分之一也不要紧。


# %% tags=["exercise"]
def layer_cost(v):
    """1 / rms σ′(z)，其中 z 服从平均值为 0、方差为 v 的正态分布。"""
    ...


# %% tags=["solution"]
def layer_cost(v):
    """1 / rms σ′(z)，其中 z 服从平均值为 0、方差为 v 的正态分布。"""
    z = np.sqrt(v) * np.random.default_rng(72).standard_normal(400_000)
    slope = vg.sigmoid(z) * vg.sigmoid(-z)
    return 1 / np.sqrt(np.mean(slope**2))


# %% tags=["check"]
with check("7.2", hint="z 是 √v 乘以标准正态的随机数。σ′(z) 先平方，再平均，再开方，最后取倒数。"):
    answered(layer_cost)
    nodes, share = np.polynomial.hermite_e.hermegauss(80)
    for v_try in (1e-6, 0.3, 1.3, 4.0, 9.0):
        z_try = math.sqrt(v_try) * nodes
        true = 1 / np.sqrt(share @ (vg.sigmoid(z_try) * vg.sigmoid(-z_try)) ** 2 / share.sum())
        own = float(layer_cost(v_try))
        assert math.isclose(own, true, rel_tol=0.03), f"方差是 {v_try:g} 时，你的是 {own:.3f}，我们得到的是另一个数"

# %% [markdown] en="a64af369"
# v = 1.30 时，定律怎么说？网络又怎么说？我们取八个隐藏层，这样就有七步。

# %%
z = math.sqrt(1.30) * np.random.default_rng(1).standard_normal(1_000_000)
law = 1 / np.sqrt(np.mean((vg.sigmoid(z) * vg.sigmoid(-z)) ** 2))
eight = {init: initial_speeds([30] * 8, X, y, range(20), init=init) for init in ("default", "large")}
print(f"定律：每层 {law:.2f} 倍")
for init, found in eight.items():
    print(f"权重 {init}：", *[f"{value:.2f}" for value in np.median(found.factors, axis=0)])

# %%
with plot(
    "相邻隐藏层之间丢掉的倍数。默认的权重贴着定律的那条线 4.88；用大的权重，第一步大约丢掉 4 倍，其余各步大约 1.6 倍"
) as axes:
    steps = np.arange(1, 8)
    for found, words in zip(eight.values(), ("权重服从 N(0, 1/n)", "权重服从 N(0, 1)"), strict=True):
        axes.plot(steps, np.median(found.factors, axis=0), "o-", label=words)
    axes.axhline(law, color="C2", linestyle="--", label="定律")
    axes.set(xlabel="从隐藏层 l 到 l + 1", ylabel="‖δ‖ 增大的倍数", ylim=(0, 8), xticks=steps)
    axes.legend()

# %% tags=["hidden"]
assert f"{law:.2f}" == "4.88"
assert math.isclose(np.mean(vg.sigmoid(z) ** 2), 0.30, rel_tol=0.01)
usual, wide = (np.median(eight[init].factors, axis=0) for init in ("default", "large"))
assert np.all((usual > 4.3) & (usual < 5.5))
assert eight["default"].increasing == 20
assert 3.3 < wide[0] < 4.5
assert np.all((wide[1:] > 1.3) & (wide[1:] < 1.9))
elsewhere = {"200 个种子": (4.83, 5.10)}

# %% [markdown] en="575dea7a"
# 定律说是 4.88，而网络不论在多深的地方都照着它来。（另外对 200 个网络测过，中位数在 4.83 到 5.10 之间。）所以网络消失得比链子慢，链子每过一个神经元丢掉十倍；但它确实在消失，而且每过一层都是同样的倍数。第 6 课的问题，答案就是：三十条路径刚好补得上大小为 1/√30 的权重，σ′ 则留了下来。
#
# 第二条线，权重服从 N(0, 1)。书的*正文*里说的是它，书的程序抽取的却是 N(0, 1/n)。这样的权重更大，对各条路径求和，如今*赚到* √30 倍；可是 z 也跟着变大，许多神经元饱和了。两相抵消，每层只丢掉不到 2 倍。（第一步的代价更大：第一层有 784 个输入，它的神经元饱和得最厉害。）谁要重做一个实验，都该多看一眼：权重到底是怎么抽的。
#
# ## 学习的途中
#
# 到这里为止，网络都没有训练过。也许一学起来就好了：第一层只是起步慢，后来会赶上？书里用我们这一千幅图训练了 500 **轮**（epoch），每轮只走一步，这一步用上全部的图；学习率 η = 0.1，权重衰减 λ = 5。**权重衰减**（weight decay）让每个权重每走一步都变小一点，这里是乘以 1 − ηλ/1000 = 0.9995。
#
# 我们用四个隐藏层照做一遍。（数用 `float32`，只有七位，时间省一半。）运行之前先说说看：到最后，末层与首层的速度之比会是多少？

# %%
X32 = X.astype(np.float32)


def trained(depth, weight_decay, epochs=500, seed=0):
    net = vg.nn.MLP([784] + [30] * depth + [10], seed=seed, dtype=np.float32)
    course = train_and_measure(net, X32, y, epochs=epochs, lr=0.1, weight_decay=weight_decay)
    return net, course


net4, course4 = trained(4, 5 / 1000)
ratio = course4.norms[:, -1] / course4.norms[:, 0]
for epoch in (0, 50, 250, 499):
    print(f"第 {epoch:3} 轮：最后一层的学习速度是第一层的 {ratio[epoch]:5.1f} 倍")

# %%
with plot(
    "500 轮当中四个隐藏层的 ‖δ‖，对数刻度：头五十轮里全都陡降，然后各走各的，第一层始终最低，比最后一层低一百倍左右"
) as axes:
    for layer, style in enumerate((":", "-.", "--", "-")):
        axes.semilogy(course4.norms[:, layer], style, label=f"隐藏层 {layer + 1}")
    axes.set(xlabel="轮", ylabel="‖δ‖")
    axes.legend()

# %% tags=["hidden"]
assert 1 - 0.1 * 5 / 1000 == 0.9995
assert 100 < ratio[0] < 125
assert 40 < ratio[50] < 60
assert 45 < ratio[250] < 70
assert 70 < ratio[499] < 105
assert 35 < ratio.min() < 50
assert 15 < np.sum(ratio > 100) < 45
assert np.all(np.diff(course4.norms, axis=1) > 0)
book = {0: 95.8, 50: 50.6, 250: 69.8, 499: 112.6, "100 以上": 88}

# %% [markdown] en="b2ca772c"
# 这就是书里那幅有名的图。第一层没有赶上来。500 轮里，每一轮都是它最慢；比值先降到 50 以下，再升回到将近 90。书里的那次运行，开头是 95.8，第 50 轮是 50.6，第 250 轮是 69.8，最后是 112.6。
#
# 每个种子都这样吗？三个和四个隐藏层，是的：我们另外各测了二十次，每一轮里，第一层都比最后一层慢。（有人说慢了 *100 倍以上*，这在书里的 500 轮当中，有 88 轮成立。）两个隐藏层，就要看骰子了。下面是其中的两次。

# %%
with plot("两个网络的末层与首层速度之比，都有两个隐藏层：一个始终在 1 以上，一个曾降到 1 以下") as axes:
    pairs = {}
    for seed, style in ((0, "-"), (3, "--")):
        _, course = trained(2, 5 / 1000, epochs=120, seed=seed)
        pairs[seed] = course.norms[:, -1] / course.norms[:, 0]
        axes.plot(pairs[seed], style, label=f"种子 {seed}")
    axes.axhline(1, color="C3", linestyle=":", linewidth=1.5, label="一样快")
    axes.set(xlabel="轮", ylabel="末层 : 首层", ylim=(0, 6.5))
    axes.legend()

# %% tags=["hidden"]
assert pairs[0].min() > 1.3
assert pairs[3].min() < 0.9
elsewhere = {"二十个种子里，第 100 轮时在 1 以下的比例": 0.4}

# %% [markdown] en="47a54896"
# 种子 3 的网络里，第一层有一阵子反而领先。到第 100 轮，十个网络里大约有四个是第一层领先（另外对二十个种子测得）。
#
# ## 它学到了什么？
#
# 那幅大图里，所有的速度都降了一百倍，甚至更多。常听人说，梯度小是好消息：快到谷底了，斜率自然就小。那么，这个有四个隐藏层的网络现在有多好？

# %%
said = net4(X32).data
print(f"代价：{course4.cost[-1]:.4f}")
print(f"第一层的 ‖δ‖：{course4.norms[-1, 0]:.0e}")
print(f"认对的数字：{np.mean(said.argmax(axis=1) == y):.1%}")
print(f"它的回答：{set(said.argmax(axis=1).tolist())}")

# %% tags=["hidden"]
assert f"{course4.cost[-1]:.3f}" == "3.246"
assert course4.norms[-1, 0] < 2e-5
assert np.mean(said.argmax(axis=1) == y) == np.max(np.bincount(y)) / len(y)
assert f"{np.mean(said.argmax(axis=1) == y):.1%}" == "11.7%"
assert set(said.argmax(axis=1).tolist()) == {7}
assert np.all(course4.norms[0] > 100 * course4.norms[-1])

# %% [markdown] en="570f0505"
# 它什么也没学到，或者说几乎没有。一千幅图里有 11.7 % 是 7，而它对每一幅都说“7”。不过代价大约是 3.246，这可不是随便的一个数。
#
# ### 练习 7.3：看不见图的网络，最好能做到什么程度
#
# 设想一个网络看不见图。它对每幅图只能给出同样的十个回答 a₀ … a₉，不过这十个数可以好好挑。回答 k 的交叉熵，对所有的图取平均，是
#
# $$-\left[\,p_k \ln a_k + (1 - p_k) \ln (1 - a_k)\,\right]$$
#
# 其中 p_k 是数字为 k 的图所占的比例。a_k 取多少，它最小？让导数等于 0。然后请写 `blind_cost(labels)`：最小的代价，对十个回答求和。每个数字在标签里都出现过。


# %% tags=["exercise"]
def blind_cost(labels):
    """对每幅图都给出同样十个回答的网络，最低的代价。"""
    ...


# %% tags=["solution"]
def blind_cost(labels):
    """对每幅图都给出同样十个回答的网络，最低的代价。"""
    p = np.bincount(labels, minlength=10) / len(labels)
    return float(-np.sum(p * np.log(p) + (1 - p) * np.log(1 - p)))  # 最好的 a_k 就是 p_k 本身


# %% tags=["check"]
with check("7.3", hint="导数是 −p/a + (1 − p)/(1 − a)；“是”说得和它成立的次数一样多，导数就是 0。"):
    answered(blind_cost)
    rng = np.random.default_rng(73)
    for _ in range(3):
        labels = np.concatenate([np.arange(10), rng.choice(10, size=200, p=rng.dirichlet(np.ones(10)))])
        logits = np.zeros(10)
        p_try = np.bincount(labels, minlength=10) / len(labels)
        for _ in range(60):  # 对十个 logit 用牛顿法
            a_try = vg.sigmoid(logits)
            logits -= np.clip((a_try - p_try) / (a_try * (1 - a_try)), -1, 1)
        lowest = float(vg.nn.losses.cross_entropy(np.tile(logits, (len(labels), 1)), labels))
        own = float(blind_cost(labels))
        assert own > lowest * (1 - 1e-6), f"{own:.4f} 好得过头了：有一组标签，我们怎么试也低不过 {lowest:.4f}"
        assert own < lowest * (1 + 1e-6), f"你的是 {own:.4f}；对同样的标签，我们找到了代价更低的固定回答"

# %%
shares = np.bincount(y) / len(y)
floor = -np.sum(shares * np.log(shares) + (1 - shares) * np.log(1 - shares))
with plot("500 轮当中的代价：头二十轮往下降，然后就平了，贴着看不见图的网络的那条虚线") as axes:
    axes.plot(course4.cost, label="四个隐藏层")
    axes.axhline(floor, color="C1", linestyle="--", label=f"看不见图的网络：{floor:.4f}")
    axes.set(xlabel="轮", ylabel="代价", ylim=(3, 6))
    axes.legend()

# %% tags=["hidden"]
assert f"{floor:.4f}" == "3.2459"
assert abs(course4.cost[-1] - floor) < 0.0002
assert course4.cost[100] - floor < 0.05

# %% [markdown] en="0a42b0ee"
# 看不见图的网络，最好的代价是 3.2459。我们的网络与它相差不到 0.0002。它知道每个数字出现得有多频繁，除此之外几乎一无所知。这样的地方叫做**平台**（plateau）：往哪个方向斜率都几乎是 0，代价却远远高于会认数字的网络，比如第 5 课的那个。*梯度小，不等于到了最优点。*
#
# ## 权重衰减做了什么
#
# 还剩一个问题。既然一切都停下来了，为什么那个比值还在 90 左右，甚至还在变大？我们去掉权重衰减，取 λ = 0，再训练一遍。同时再多量一样东西。‖δˡ‖ 是各幅图的梯度取**平均之后的长度**；不同的图，梯度在平均时可能互相抵消。所以我们也量**长度的平均值**，那里什么也抵消不了。

# %%
free4, free = trained(4, 0.0)
with plot(
    "左图：有权重衰减，平均之后的梯度之比一直在 40 与 115 之间；没有权重衰减，它降到 1 左右。"
    "右图：长度的平均值之比，两种情形都在 100 以上",
    panels=2,
    width=9.2,
    height=3.4,
) as (left, right):
    for course, style, words in ((course4, "-", "λ = 5"), (free, "--", "λ = 0")):
        left.semilogy(course.norms[:, -1] / course.norms[:, 0], style, label=words)
        right.semilogy(course.sample_norms[:, -1] / course.sample_norms[:, 0], style, label=words)
    left.set(title="平均之后的长度，末层 : 首层", xlabel="轮", ylim=(0.7, 400))
    right.set(title="长度的平均值，末层 : 首层", xlabel="轮", ylim=(0.7, 400))
    left.legend()
    right.legend(loc="lower left")

# %%
for words, net in (("λ = 5", net4), ("λ = 0", free4)):
    push = (net(X32).data - (y[:, None] == np.arange(10))).mean(axis=0)
    print(f"{words}：所有的图合起来，对十个输出还要求多少：{np.linalg.norm(push):.1e}")

# %% tags=["hidden"]
ends = [c.norms[-1, -1] / c.norms[-1, 0] for c in (course4, free)]
assert 70 < ends[0] < 105
assert 0.9 < ends[1] < 1.5
alone = [c.sample_norms[:, -1] / c.sample_norms[:, 0] for c in (course4, free)]
assert min([a.min() for a in alone]) > 100
assert 100 < alone[1][-1] < 115
pushes = [np.linalg.norm((net(X32).data - (y[:, None] == np.arange(10))).mean(axis=0)) for net in (net4, free4)]
assert pushes[0] > 20 * pushes[1]
shared = course4.norms[0] / course4.sample_norms[0]
assert np.all((shared > 0.7) & (shared < 0.8))
assert alone[0][-1] > 1.5 * alone[0][0]
assert abs(free.cost[-1] - floor) < 0.001
assert np.all((free.norms[-1] > 2e-5) & (free.norms[-1] < 7e-5))

# %% [markdown] en="762062c2"
# 看左图。没有权重衰减，比值就从 100 以上降到 1 左右：照书里的量法，这时各层学得一样快了。再看右图：就单幅图的梯度来说，平均下来，第一层得到的还不到最后一层的百分之一，每一轮都是这样，有没有权重衰减都是这样。（有权重衰减时，这个倍数甚至还在变大，因为权重变小，传过去的也就更少。）
#
# 两者都没有错。刚开始时，各幅图大体上往同一个方向拉：在每一层里，平均之后的长度大约都有单幅图的梯度的四分之三。所以两种量法说的是同一件事：梯度消失了。到了平台上，各幅图共同的那部分已经用完。每幅图仍然在拉，这幅往左，那幅往右，一平均就抵消了；剩下的那一点，在每一层都差不多大，至于它是怎么传过来的，从中什么也看不出。消失并没有过去，只是平均值不再显出它来。
#
# 那么，有权重衰减时呢？每走一步，它都让输出层的权重变小一点，十个回答也就跟着动一点，对所有的图几乎都一样。偏置只好一次又一次地推回去。上面最后打印的几行，就是这个共同的推力；没有权重衰减时，它小到二十分之一以下。它穿过所有的层往回走，一路上越来越弱。所以，让图里那个一百倍一直留到最后的，是权重衰减。（它还取决于 λ/1000 里的那个 1000，也就是训练用了多少幅图。）
#
# ## 这一课带走什么
#
# * 一层的学习速度 ‖δˡ‖ 越靠近输出越大：权重服从 N(0, 1/n) 的全新网络，我们试过的*每一个*都是这样，而且每过一层大约差五倍。
# * 定律：路径多，补得上权重服从 N(0, 1/n) 带来的小；剩下的是 1/rms σ′(z) = 4.88。
# * 四个隐藏层，500 轮，除了各个数字出现的频率，什么也没学到。**梯度小，不等于到了最优点。**
# * 平均之后的长度，不是长度的平均值。梯度会互相抵消的地方，要一幅图一幅图地问。
# * 一个种子就是掷一次骰子。二十次都成立的，值得讲；只有一次成立的，就要照实说只有一次。
#
# 权重大一些，一层的代价就不到 2 倍；可谁也没说一层一定要丢东西。它会不会反而*赚*呢？第 8 课，我们把权重一路调大，直到梯度爆炸。
