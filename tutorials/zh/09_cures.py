# %% [markdown] minutes=20 en="6fa5ab05"
# # 9. 对策
#
# 这里有一位病人：一个网络，有四个隐藏层，都是 sigmoid 神经元。一千个手写数字给它看了五遍，它还是在瞎猜。而只有一个隐藏层的网络，用同样的办法训练，这时已经学到一些东西了。
#
# 病因你已经知道。第 6 课和第 7 课发现，梯度在往回走的路上越来越弱；第 8 课说，这只是“梯度是一长串因子的乘积”的一种表现。现在我们来治。常备的药有五味：换代价，换**初始化**，换激活函数，让连接跨过一层，以及动量。它们都管用吗？治的是同一种病吗？全部一起用，会不会更好？
#
# 我们先一样一样地试，再一起用，最后一样一样地撤掉。每次动手之前，请先说说你的预料。途中有四道练习。

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.lab import cures
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.training import LearningSpeed, accuracy, fit
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("09_cures", lang="zh")

# %% [markdown] en="35cefe97"
# ## 病人
#
# 它各层的大小是 784、30、30、30、30、10，用二次代价，学习率 η = 0.1，每十个样本一个**小批量**（mini-batch）。本库自带一千个手写数字，过五遍，一共走 500 步。
#
# 对每一个网络，我们都问两个问题。
#
# * **梯度传得回来吗？** 和第 7 课一样，把代价对第 l 层各个偏置的梯度在所有数字上取平均，‖δˡ‖ 就是这个平均值的长度。我们在训练之前量它，看最后一个隐藏层的是第一个隐藏层的多少倍。
# * **网络学得会吗？** 走完 500 步，让它认另外一千个数字。瞎猜能猜对大约 10 %。

# %%
digits = vg.datasets.mnist_sample()
probe = LearningSpeed(*digits.train)


def quadratic(net, X, y):
    return losses.quadratic(net(X), y)


def network(layers=4, **change):
    """病人，或者改动之后的病人。"""
    return cures.deep_network(cures.Cure("", **change), [784, *[30] * layers, 10], seed=0)


# %%
def attempt(name, cost, layers=4, lr=0.1, momentum=0.0, **change):
    """问两个问题；给出各隐藏层的 ‖δ‖、认对的百分数和训练好的网络。"""
    net = network(layers, **change)
    norms, _ = probe.measure(net, cost)
    optimizer = vg.optim.SGD(net.parameters(), lr, momentum)
    fit(net, cost, digits.train, epochs=5, optimizer=optimizer, seed=0, progress=False)
    right = 100 * accuracy(net, *digits.validation)
    print(f"‖δ¹‖ {norms[0]:.1e}   末层/首层 {norms[-1] / norms[0]:7.2f}   认对 {right:3.0f} %   {name}")
    return norms, right, net


shallow = attempt("一个隐藏层", quadratic, layers=1)
patient = attempt("四层：病人", quadratic)


# %% tags=["hidden"]
def ratio_of(found):
    return found[0][-1] / found[0][0]


assert 30 < shallow[1] < 50
assert 8 < patient[1] < 13
assert 100 < ratio_of(patient) < 120
assert 0.0004 < patient[0][0] < 0.0005
assert 5 * 1000 / 10 == 500

# %% [markdown] en="829a203f"
# 果然如此。病人第一层的梯度只有第四层的百分之一还不到（相差 100 多倍），而整个网络什么也没学会。（一个隐藏层的网络认对了大约 40 %，也不算多；但二次代价对此也有一份责任，后面会看到。）
#
# ## 可以在哪里下手？
#
# 还是第 6 课那四个神经元排成的链子，每层一个。代价对它第一个偏置的梯度是
#
# $$\frac{\partial C}{\partial b_1} = \sigma'(z_1) \cdot w_2\,\sigma'(z_2) \cdot w_3\,\sigma'(z_3) \cdot w_4\,\sigma'(z_4) \cdot \frac{\partial C}{\partial a_4}$$
#
# 凡是能治的地方，都在这个公式里：
#
# * 最后一个因子 ∂C/∂a₄：换一个**代价**；
# * 权重 w₂、w₃、w₄，以及随之而定的、查 σ′ 的位置 z：换一种**初始化**；
# * σ′ 本身：换一个**激活函数**；
# * 从 C 到 b₁ 只有这一条路：用**残差连接**再铺一条；
# * 公式一点不动，只改拿它走的步子：**动量**和学习率。


# %%
def larger(n_in, n_out, rng):
    """权重是病人的四倍；偏置为 0。"""
    return rng.standard_normal((n_in, n_out)) * 4 / np.sqrt(n_in)


def cross_entropy(net, X, y):
    return losses.cross_entropy(net.logits(X), y)


def last_to_first(cost, **change):
    norms, _ = probe.measure(network(**change), cost)
    return norms[-1] / norms[0]


# %% [markdown] en="5d42aed5"
# ### 练习 9.1：哪些帮得了第一层？
#
# 训练之前，病人的 ‖δ⁴‖/‖δ¹‖ 在 100 以上。下面有六种改动，每次只改一样，其余不变。哪些能让这个比值降到一半以下？请用 `True` 或 `False` 回答。
#
# 先别运行。对每一种都问一句：它改动的那个因子，是 ∂C/∂b₁ 和 ∂C/∂b₄ 里都有，还是只有一个里有？

# %% tags=["exercise"]
halves_the_ratio = {
    "代价换成交叉熵": ...,
    "权重取四倍大": ...,
    "把 sigmoid 换成 ReLU（斜率为 1 或 0）": ...,
    "残差连接": ...,
    "动量": ...,
    "学习率取十倍": ...,
}

# %% tags=["solution"]
halves_the_ratio = {
    "代价换成交叉熵": False,  # 最后一个因子是各层共有的，在比值里约掉了
    "权重取四倍大": True,  # ∂C/∂b₄ 里没有 w₂、w₃、w₄
    "把 sigmoid 换成 ReLU（斜率为 1 或 0）": True,  # 也没有 σ′(z₁)、σ′(z₂)、σ′(z₃)
    "残差连接": True,  # 第二条路从它们旁边绕过去
    "动量": False,  # 它不碰梯度
    "学习率取十倍": False,  # 它也不碰
}

# %% tags=["check"]
with check("9.1", hint="两者都有的因子，在 ‖δ⁴‖/‖δ¹‖ 里都约掉了。拿梯度去做什么，那是梯度之后的事。"):
    answered(halves_the_ratio)
    before = last_to_first(quadratic)
    measured = {
        "代价换成交叉熵": last_to_first(cross_entropy),
        "权重取四倍大": last_to_first(quadratic, init=larger),
        "把 sigmoid 换成 ReLU（斜率为 1 或 0）": last_to_first(quadratic, activation="relu"),
        "残差连接": last_to_first(quadratic, kind="residual"),
        "动量": last_to_first(quadratic, momentum=0.9),
        "学习率取十倍": last_to_first(quadratic, faster=10.0),
    }
    assert halves_the_ratio.keys() == measured.keys(), "一共六种改动，各有各的名字"
    wrong = [name for name, after in measured.items() if halves_the_ratio[name] != (after < before / 2)]
    assert not wrong, f"六种里有 {len(wrong)} 种不对，其中之一是：{wrong[0]}"

# %% [markdown] en="27945029"
# ## 代价：最后一个因子
#
# 只看一个输出神经元。用二次代价 C = ½(a − y)² 时，最先传回来的是 ∂C/∂z = (a − y)·σ′(z)。路还没有开始走，就已经乘上了一个 σ′。如果一个神经元饱和了，*而且答错了*，它几乎听不到“你错了”这句话。
#
# 第 5 课的**交叉熵**（cross-entropy）就是为了消去这个 σ′ 而造的：∂C/∂z = a − y。拿一个本该说 0 的神经元，把两者都画出来。

# %%
zs = np.linspace(-6, 6, 121)
a = vg.sigmoid(zs)
with plot("神经元错得越厉害，交叉熵拉得越用力；二次代价却放弃了它") as axes:
    axes.plot(zs, a, label="交叉熵：a − y")
    axes.plot(zs, a * a * (1 - a), label="二次代价：(a − y)·σ′(z)")
    axes.set(xlabel="一个本该说 y = 0 的输出神经元的 z", ylabel="∂C/∂z")
    axes.legend()

# %% tags=["hidden"]
at_4 = vg.sigmoid(np.array(4.0))
assert f"{at_4:.3f}" == "0.982"
assert f"{at_4 * at_4 * (1 - at_4):.3f}" == "0.017"

# %% [markdown] en="25266328"
# 看 z = 4 的地方，神经元在那里很有把握，却是错的。交叉熵拉它的力度是 0.982，二次代价只有 0.017。
#
# 那么，它对病人有多大用处？对只有一个隐藏层的网络呢？

# %%
shallow_ce = attempt("一个隐藏层", cross_entropy, layers=1)
four_ce = attempt("四层，交叉熵", cross_entropy)

# %% tags=["hidden"]
assert 70 < shallow_ce[1] < 86
assert 8 < four_ce[1] < 13
assert 100 < ratio_of(four_ce) < 125
assert 3.5 < four_ce[0][0] / patient[0][0] < 4.5

# %% [markdown] en="613d2849"
# 对浅的网络，这是个好办法：从大约 40 % 升到将近 80 %。在深的网络里，第一层的梯度变成了四倍，可是别的层也都一样，所以比值原地不动，还在 100 以上。病人仍旧在瞎猜。
#
# 换代价，治的是最后一个因子。它是好东西，从这里起我们一直用它；但梯度是在它后面丢掉的。
#
# ## 初始化：权重
#
# δ 往回穿过一层，会遇到什么？两件事：先乘以权重，再乘以斜率 f′(z)，f 是激活函数。如果权重是随机取的，**标准差**（standard deviation）为 s，而 δ 是从一个有 n 个神经元的层传来的，那么它的长度大约会变成原来的
#
# $$\sqrt{n}\,s \;\times\; \operatorname{rms} f'(z)$$
#
# 倍，其中 **rms** 是方均根，即先平方、再平均、再开方。前一个因子由权重决定，后一个由激活函数决定；我们希望两者之积是 1。就在从第 3 层回到第 2 层的路上，把两个因子都量一量，再看 δ 实际上乘了多少。（这里是对每个数字单独取 δ 的长度，然后再平均。）


# %%
def a_layers_factor(name, activation, init):
    """从第 3 层回到第 2 层的 √n·s 和 rms f′(z)，以及 δ 的长度在那里实际乘了多少。"""
    net = MLP([784, 30, 30, 30, 30, 10], activation, init, seed=0)
    lengths = probe.measure(net, cross_entropy)[1]
    z = net.layers[1].logits(net.layers[0](digits.train[0]))
    slopes = vg.backprop(np.sum(net.layers[1].activation(z)), wrt=[z])[z]
    weights, slope = math.sqrt(30) * net.layers[2].w.data.std(), math.sqrt(np.mean(slopes**2))
    print(f"权重 {weights:.2f} × 斜率 {slope:.2f} = {weights * slope:.2f}", end="   ")
    print(f"实测 {lengths[1] / lengths[2]:.2f}   {name}")
    return weights, slope, lengths[1] / lengths[2]


as_it_was = a_layers_factor("sigmoid，原样", "sigmoid", "default")
with_larger = a_layers_factor("sigmoid，权重加大", "sigmoid", larger)

# %% tags=["hidden"]
assert f"{as_it_was[0]:.2f} {as_it_was[1]:.2f} {as_it_was[2]:.2f}" == "0.98 0.20 0.20"
assert f"{with_larger[0]:.2f} {with_larger[1]:.2f} {with_larger[2]:.2f}" == "3.96 0.16 0.61"

# %% [markdown] en="9d1afb08"
# 先看第一行。权重是清白的：它们乘上去的是 0.98。病人的权重取 s = 1/√n，正是为了这个。斜率乘上去的是 0.20，全部病根就在这里：每过一层，梯度只剩五分之一。
#
# 那就让权重来补：σ′ 最多四分之一，权重就取四倍大。（偏置照通常的做法从 0 开始。）第二行说明了为什么这只是半个办法。权重大了，z 就大；z 大了，就落到更远、sigmoid 更平的地方，平均的斜率于是降到 0.16。这正是第 6 课里的拉锯：w 把 |wσ′| 往上拉，σ′ 把它往下拽。最后每层剩下 0.61，而不是 0.20。

# %%
four_larger = attempt("四层，权重加大", cross_entropy, init=larger)

# %% tags=["hidden"]
assert 5 < ratio_of(four_larger) < 8
assert 58 < four_larger[1] < 82

# %% [markdown] en="84798661"
# 没有痊愈，但是学起来了：认对了大约 70 %，比值从 100 以上降到了 6 左右。
#
# ## ReLU：斜率
#
# 既然病根在斜率，那就换掉斜率。**ReLU**（rectified linear unit，修正线性单元）是 f(z) = max(0, z)。z 为正时，它的斜率是 1；否则是 0。

# %%
with plot("三条斜率曲线：σ′ 是座矮山，tanh′ 是座高为 1 的山，ReLU 的斜率是从 0 到 1 的一级台阶") as axes:
    for name, f in (("sigmoid", vg.sigmoid), ("tanh", np.tanh), ("ReLU", vg.relu)):
        z = vg.Tensor(np.linspace(-6, 6, 1201))
        axes.plot(z.data, vg.backprop(np.sum(f(z)), wrt=[z])[z], label=name)
    axes.set(xlabel="z", ylabel="f′(z)", ylim=(-0.05, 1.1))
    axes.legend(loc="center left")

# %% [markdown] en="3a5bca4d"
# 在图的右半边，不管 z 多大，ReLU 都把消息*原样*传过去：它在那里不会饱和。在左半边，它什么也不传。大约一半的 z 是负的，所以斜率的平方一半是 1、一半是 0，平均是 ½，rms f′ 大约是 √½。这得由权重补回来。
#
# ### 练习 9.2：给 ReLU 的权重
#
# 请写 `relu_weights(n_in, n_out, rng)`：给出一个形状为 (n_in, n_out) 的数组，里面是平均值为 0 的随机数，其大小恰好使一层偏置为 0 的 ReLU 保持*向前*通过它的信号的均方（平方的平均值）。`rng.standard_normal((n_in, n_out))` 给出标准差为 1 的随机数。
#
# 每个 z 是 n_in 个“权重乘输入”之和，它的均方是 n_in · s² ·（输入的均方）。然后 ReLU 把 z 的一半截掉。


# %% tags=["exercise"]
def relu_weights(n_in, n_out, rng):
    """随机权重，使一层 ReLU 保持输入的均方。"""
    ...


# %% tags=["solution"]
def relu_weights(n_in, n_out, rng):
    """随机权重，使一层 ReLU 保持输入的均方。"""
    return rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)


# %% tags=["check"]
with check("9.2", hint="要让 n_in · s² · ½ 等于 1，s 是多少？另外，方差是 s²，不是 s。"):
    answered(relu_weights)
    rng = np.random.default_rng(92)
    for n_in, n_out in ((300, 300), (600, 150), (150, 600)):
        kept = []
        for _ in range(5):
            signal = vg.relu(rng.normal(size=(100, n_in)))
            drawn = np.asarray(relu_weights(n_in, n_out, rng))
            assert drawn.shape == (n_in, n_out), f"形状应当是 {(n_in, n_out)}，你的是 {drawn.shape}"
            kept.append(np.mean(vg.relu(signal @ drawn) ** 2) / np.mean(signal**2))
        kept = np.mean(kept)
        assert 0.8 < kept < 1.25, f"从 {n_in} 个到 {n_out} 个神经元，均方变成了原来的 {kept:.3g} 倍"

# %% [markdown] en="13162a0a"
# 这样的权重叫做 **He 初始化**，以 2015 年推导出它的那篇论文的第一作者何恺明（Kaiming He）命名。tanh 则有 2010 年的 **Glorot 初始化**：tanh 在中间的斜率是 1，所以权重可以留在 1/√n 左右。
#
# 对于从 30 个到 30 个神经元的 ReLU 层，同一个 s 也能让往回走的 δ 保持大小：√30 · √(2/30) · √½ = 1。真的吗？

# %%
relu_as_it_was = a_layers_factor("ReLU，权重照旧", "relu", "default")
relu_he = a_layers_factor("ReLU，He", "relu", "he")
tanh_glorot = a_layers_factor("tanh，Glorot", "tanh", "glorot_normalised")
print()
four_relu = attempt("四层，ReLU，He", cross_entropy, activation="relu", init="he")

# %% tags=["hidden"]
assert f"{relu_as_it_was[2]:.2f} {relu_he[2]:.2f} {tanh_glorot[2]:.2f}" == "0.72 1.06 0.85"
assert 1.3 < ratio_of(four_relu) < 2.2
assert 70 < four_relu[1] < 87

# %% [markdown] en="2840b4bf"
# 每层 1.06：梯度传回来了，病人认起数字来和浅的网络一样好。如果不换权重，ReLU 每层会剩下 0.72；四层时这不算病，四十层时就是了。再看 tanh：0.85。激活函数和初始化要配套。
#
# ## 残差连接：第二条路
#
# 下一种对策不动 sigmoid，也不动权重。它让每一层在传进来的东西上*加*一点，而不是把它换掉：
#
# $$\text{普通： } a' = f(a w + b) \qquad\qquad \text{残差： } a' = a + f(a w + b)$$
#
# 和式里那个光秃秃的 a 叫做**残差连接**（residual connection），也叫捷径（shortcut）。下面是两个这样的神经元排成的链子。

# %%
x = vg.Tensor(0.7, "x")
w1, w2 = vg.Tensor(0.8, "w₁"), vg.Tensor(-0.6, "w₂")
a1 = (x + vg.sigmoid((w1 * x).named("z₁"))).named("a₁")
a2 = (a1 + vg.sigmoid((w2 * a1).named("z₂"))).named("a₂")
show(vg.draw(a2, wrt=x), "两个带残差连接的神经元：从 x 到 a₂，有一条路穿过两者，也有一条路绕过两者")

# %% [markdown] en="56523c14"
# 数一数从 a₂ 回到 x 的路：在每个神经元处，消息可以从里面穿过，也可以从旁边绕过，所以一共四条；图下面最后一行列出了每一条的贡献。沿着路，斜率相乘；各条路的乘积相加，和第 2 课一样。四条路里有一条两次都绕过，它的乘积是 1 · 1。
#
# ### 练习 9.3：带捷径的一层
#
# 请写 `with_shortcut(x, w, b)`，表示一整层 sigmoid 神经元，输入 n 个，输出也是 n 个。x 是一行 n 个数，w 的形状是 (n, n)，b 的形状是 (n,)；sigmoid 请用 `vg.sigmoid`。


# %% tags=["exercise"]
def with_shortcut(x, w, b):
    """x 经过一层带残差连接的 sigmoid 神经元之后。"""
    ...


# %% tags=["solution"]
def with_shortcut(x, w, b):
    """x 经过一层带残差连接的 sigmoid 神经元之后。"""
    return x + vg.sigmoid(x @ w + b)


# %% tags=["check"]
with check("9.3", hint="普通的一层是 vg.sigmoid(x @ w + b)。捷径加在 sigmoid 的外面。"):
    answered(with_shortcut)
    rng = np.random.default_rng(93)
    for n in (1, 2, 5):
        x_try, w_try, b_try = rng.normal(size=n), rng.normal(size=(n, n)), rng.normal(size=n)
        through, plain = with_shortcut(x_try, w_try, b_try), vg.sigmoid(x_try @ w_try + b_try)
        assert np.shape(through) == (n,), f"{n} 个数进去，应当出来 {n} 个，现在的形状却是 {np.shape(through)}"
        matrix = vg.jacobian(lambda x, w=w_try, b=b_try: with_shortcut(x, w, b))(x_try)
        own = vg.jacobian(lambda x, w=w_try, b=b_try: vg.sigmoid(x @ w + b))(x_try)
        past = "推一下输入，输出动的量减去普通层动的量，应当正好是这一推本身，也就是单位矩阵"
        np.testing.assert_allclose(matrix - own + 1, np.eye(n) + 1, rtol=1e-9, err_msg=past)
        np.testing.assert_allclose(through, x_try + plain, rtol=1e-9, err_msg="斜率对了，值不对")

# %% [markdown] en="890ce74a"
# 这一层全部斜率排成的矩阵叫做它的**雅可比矩阵**（Jacobian），现在等于原来的加上单位矩阵。对单个神经元来说：因子 wσ′ 变成了 1 + wσ′。wσ′ 再小，乘积也不会因此消失了。
#
# 于是病人保留它的 sigmoid 和权重，只是给第 2、3、4 层旁边加上捷径。（第 1 层旁边不能加：数字图像有 784 个数，而这一层只有 30 个，没法相加。）

# %%
four_residual = attempt("四层，残差连接", cross_entropy, kind="residual")

# %% tags=["hidden"]
assert 0.9 < ratio_of(four_residual) < 1.1
assert 70 < four_residual[1] < 86

# %% [markdown] en="941e8442"
# sigmoid 一个没少，第一层的梯度却和最后一层的一样大了。病人学得和浅的网络一样好。
#
# ## 动量：步子
#
# 最后一种对策在梯度之后才起作用。普通的梯度下降，走完一步就忘掉一步。**动量**（momentum）则保留一个**速度** v，像球滚下山坡一样：每一步留下速度的一部分 μ，再加上新的梯度 g；然后参数 θ 按新的速度移动：
#
# $$v \leftarrow \mu v - \eta\,g \qquad\qquad \theta \leftarrow \theta + v$$
#
# ### 练习 9.4：带动量的一步
#
# 把它写成函数，给出新的 θ 和新的 v。写完再想一想：如果每一步的梯度都一样，这个球最后滚得多快？


# %% tags=["exercise"]
def momentum_step(theta, v, g, lr, mu):
    """按梯度 g 走一步之后新的 θ 和新的 v。"""
    ...


# %% tags=["solution"]
def momentum_step(theta, v, g, lr, mu):
    """按梯度 g 走一步之后新的 θ 和新的 v。"""
    v = mu * v - lr * g
    return theta + v, v


# %% tags=["check"]
with check("9.4", hint="先算 v，再用已经更新的 v 去移动 θ。步子是往下坡走的，与 g 相反。"):
    answered(momentum_step)
    rng = np.random.default_rng(94)
    theta, v, g = rng.normal(size=(3, 4))
    result = momentum_step(theta, v, g, 0.1, 0.9)
    assert isinstance(result, tuple | list), "要给出两样东西：新的 θ 和新的 v"
    assert len(result) == 2, f"要给出两样东西，新的 θ 和新的 v，而不是 {len(result)} 样"
    rolled, _ = momentum_step(theta, v, 0 * g, 0.1, 0.9)
    np.testing.assert_allclose(rolled - theta, 0.9 * v, rtol=1e-9, err_msg="没有梯度时，它应当照 μv 继续滚")
    plain, _ = momentum_step(theta, v, g, 0.1, 0.0)
    np.testing.assert_allclose(plain - theta, -0.1 * g, rtol=1e-9, err_msg="μ = 0 时应当就是普通的梯度下降")
    parameter = vg.Tensor(theta)
    optimizer = vg.optim.SGD([parameter], 0.1, 0.9)
    place, speed = theta, 0 * v
    for k in range(30):
        np.sum((parameter - 1) ** 2).backward()
        optimizer.step()
        place, speed = momentum_step(place, speed, 2 * (place - 1), 0.1, 0.9)
        np.testing.assert_allclose(place, parameter.data, rtol=1e-9, err_msg=f"在 Σ(θ − 1)² 上走了 {k + 1} 步之后")

# %% [markdown] en="790d067c"
# 如果梯度一直不变，v 会稳定在 v = μv − ηg 处，也就是 v = −ηg/(1 − μ)。μ = 0.9 时，这是普通一步的十倍。反过来，如果梯度忽左忽右，速度就互相抵消；所以在狭窄的山谷里，大家都喜欢用动量。
#
# 那么病人呢？

# %%
four_momentum = attempt("四层，动量 0.9", cross_entropy, momentum=0.9)

# %% tags=["hidden"]
assert f"{1 / (1 - 0.9):.0f}" == "10"
assert ratio_of(four_momentum) == ratio_of(four_ce)
assert 8 < four_momentum[1] < 20
book = {"plain": (10.6, 38.7, 10.6), "momentum": (86.7, 90.3, 89.0), "lr=1": (85.5, 90.0, 89.8)}  # 50,000 张图像
assert 50_000 / 10 == 5000

# %% [markdown] en="bd723c4b"
# 什么也没变：比值还是那个比值，本来就该如此；病人还在瞎猜。几乎为零的东西乘以十，还是几乎为零。
#
# 说句公道话，它能缩短等待。我们在别处量过：用 MNIST 的全部 50,000 张图像过一遍，走 5,000 步而不是 500 步。取三个种子，不加动量的病人分别认对 10.6、38.7 和 10.6 %，加了动量是 86.7、90.3 和 89.0 %。可是不用动量，把学习率取成 1，也有 85.5、90.0 和 89.8 %。在这里，动量不过是把步子迈大了。它让网络早一点走出那片平地，却改变不了平地的存在。
#
# ## 一起用
#
# 现在好奇心上来了：交叉熵、ReLU、He 初始化、残差连接，*再加上*动量。你预料会怎样？

# %%
everything = {"activation": "relu", "init": "he", "kind": "residual", "momentum": 0.9}
too_much = attempt("一起用", cross_entropy, **everything)

# %% tags=["hidden"]
assert too_much[1] < 30
assert too_much[0][0] / patient[0][0] > 1000

# %% [markdown] en="5672be2d"
# 它又在瞎猜，和一开始的病人一样。梯度又丢了吗？没有：看 ‖δ¹‖，它是病人的 1,000 倍以上。是药下得太重了。学习率是照着微弱的梯度选的；现在梯度强了，动量又把步子放大到最多十倍。
#
# 这样的步子造成了什么？我们去问每一个隐藏层的 ReLU：在这么多数字当中，有没有哪一个能让它不是 0。


# %%
def silent(net):
    """每个隐藏层里有多少个 ReLU 对所有数字都是 0。"""
    a, counts = digits.train[0], []
    with vg.no_grad():
        for layer in net.layers[:-1]:
            counts.append(int(np.sum(np.all(layer.logits(a) <= 0, axis=0))))
            a = layer(a)
    return counts


print("各层 30 个 ReLU 中沉默的，η = 0.1： ", silent(too_much[2]))
together = attempt("一起用，η = 0.01", cross_entropy, lr=0.01, **everything)
print("各层 30 个 ReLU 中沉默的，η = 0.01：", silent(together[2]))

# %% tags=["hidden"]
assert min(silent(too_much[2])) > 20
assert sum(silent(together[2])) < 40
assert 60 < together[1] < 87

# %% [markdown] en="49b7d0ba"
# η = 0.1 时，几乎所有的 ReLU 都**死了**：有一步迈得太大，把它们的 z 推到了对每个数字都小于 0 的地方。那里斜率是 0，消息传不过来，它们自己再也没有办法醒过来。一边的斜率恰好为 0，这就是代价。
#
# 学习率降到十分之一，它们大多活了下来，网络也会认数字了。几种对策不是简单地加在一起就行的：谁改变了梯度的大小，谁就得重新选步子。
#
# ## 再一样一样撤掉
#
# 五种里面，究竟是哪一种起了作用？要弄清楚，就做**消融**（ablation）：每次撤掉一样，其余全都留着。

# %%
without = {
    "交叉熵": {},
    "ReLU": {"activation": "sigmoid"},
    "He 初始化": {"init": "default"},
    "残差连接": {"kind": "plain"},
    "动量": {"momentum": 0.0},
    "ReLU 和残差连接": {"activation": "sigmoid", "kind": "plain"},
}
left = {"什么也不撤": together[1]}
for name, change in without.items():
    cost = quadratic if name == "交叉熵" else cross_entropy
    left[name] = attempt(f"撤掉：{name}", cost, lr=0.01, **{**everything, **change})[1]

# %%
with plot("撤掉任何一种对策，仍能认对许多数字；ReLU 和残差连接都撤掉，就只能瞎猜") as axes:
    axes.barh(list(left), left.values(), color=["C2", *["C0"] * 5, "C1"])
    axes.axvline(10, color="C3", linewidth=1.5, linestyle="--")
    axes.annotate("瞎猜", (10, 6), (8, -3), textcoords="offset points")
    axes.grid(visible=False)
    axes.invert_yaxis()
    axes.set(xlabel="认对，%", ylabel="撤掉的")

# %% tags=["hidden"]
assert all(left[name] > 60 for name in ("ReLU", "He 初始化", "残差连接", "动量"))
assert 30 < left["交叉熵"] < 70
assert left["ReLU 和残差连接"] < 20
five_seeds = {"nothing": (57.8, 81.5), "cross-entropy": (44.9, 66.5), "another": (72.0, 84.0), "two": (8.9, 16.6)}

# %% [markdown] en="0e046c5d"
# 从中可以读出三件事。
#
# * **撤掉 ReLU，或者 He 的权重，或者残差连接，网络照样认得数字。** 它们治的是同一种病，少了一样，剩下的就够了。只有 ReLU *和*残差连接都撤掉，梯度才又弱下去，其余的全加起来也补不回来。
# * **撤掉交叉熵，结果变差。** 它治的是另一种病，别的对策替不了它。
# * **撤掉动量，什么也不缺**，至少在这个网络上、这 500 步里是这样。
#
# 不要从中读出更多的东西。这些都只跑了一次，而每跑一次都像掷一次骰子：换五个种子来跑，“什么也不撤”得到 57.8 到 81.5 %，撤掉交叉熵是 44.9 到 66.5 %，撤掉其余四样之一是 72.0 到 84.0 %，ReLU 和残差连接都撤掉是 8.9 到 16.6 %。逐个种子比，撤掉交叉熵每次都更差；其余四样之间，排不出先后。
#
# ## 再深一些
#
# 四层的时候，有三种对策能做同一件事。十六层的时候还行吗？不用训练，看看梯度怎么样就知道了。

# %%
kinds = {
    "sigmoid，原样": {},
    "sigmoid，权重加大": {"init": larger},
    "ReLU，He": {"activation": "relu", "init": "he"},
    "sigmoid，残差连接": {"kind": "residual"},
}
depths = [2, 4, 8, 16]
deeper = {name: [last_to_first(cross_entropy, layers=n, **change) for n in depths] for name, change in kinds.items()}

with plot("越深，光用 sigmoid 的比值越大，到了 10¹⁰；用 ReLU 或残差连接，一直在 1 附近") as axes:
    for (name, ratios), marker in zip(deeper.items(), "osD^", strict=True):
        axes.plot(depths, ratios, marker=marker, label=name)
    axes.set(xlabel="隐藏层数", ylabel="末层的 ‖δ‖ / 首层的 ‖δ‖", xticks=depths, yscale="log")
    axes.legend()

# %% tags=["hidden"]
assert 1e10 < deeper["sigmoid，原样"][-1] < 1e11
assert 300 < deeper["sigmoid，权重加大"][-1] < 1000
assert all(0.25 < ratio < 4 for name in ("ReLU，He", "sigmoid，残差连接") for ratio in deeper[name])

# %% [markdown] en="3d806769"
# 光用 sigmoid：十六层时相差 1e10 倍以上。权重加大：还差几百倍。ReLU 配上自己的权重，以及在原来的 sigmoid 旁边加残差连接，这两种在四个深度上都保持在四分之一与 4 之间。好的对策就该这样：不是在某一个深度上有用，而是让深度不再是问题。
#
# ## 这一课带走什么
#
# * 对每一种对策都要问：**它改的是 ∂C/∂b₁ 的哪个因子**。代价改最后一个，初始化改权重，ReLU 改斜率，残差连接添一条路；动量和学习率一个也不改。
# * 往回穿过一层，δ 大约要乘以 **√n·s × rms f′(z)**。激活函数和初始化要配套选，让它等于 1。
# * wσ′ 变成 1 + wσ′：只要 wσ′ 很小，这样的因子乘起来就没有什么可消失的。
# * 梯度强了，步子就要小；步子太大，会弄死 ReLU。
# * **消融**能看出哪些对策可以互相替代。引用它的时候，要连同不同种子之间的起伏一起说。
#
# 所以，要深，我们也做得到了。可是回头看看那些数：只有*一个*隐藏层的网络，认这些数字并不比我们的哪位病人差。那么，深度到底有什么用？
