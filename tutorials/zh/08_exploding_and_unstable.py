# %% [markdown] minutes=20 en="6036bde0"
# # 8. 爆炸与不稳定
#
# 第 6 课和第 7 课里，梯度一路往回、一路消失：在链子里，每过一个神经元只剩十分之一；在网络里，每过一层只剩五分之一。原因在 sigmoid 的斜率，它最大不过四分之一。
#
# 可是权重由我们说了算。要是把权重取得很大，大到每个因子都超过 1，会怎样？那样梯度往回走应该越走越*大*，最前面的层应该学得最快。这一课就来试一试，看看它会变成什么样子；最后会发现，消失和爆炸原来是同一件事的两副面孔。

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.lab import neuron_chain
from tinygrad_vg.lab.jacobians import factors_of
from tinygrad_vg.lab.random_chains import (
    critical_scale,
    growth_in_chains,
    growth_in_layers,
    predicted_growth,
    random_chains,
)
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("08_exploding_and_unstable", lang="zh")

# %% [markdown] en="b9fe637e"
# ## 权重取一百
#
# 还是第 6 课那样的四个神经元排成的链子：z_j = w_j a_{j−1} + b_j，a_j = σ(z_j)，C = ½(a₄ − y)²。权重全取 100，输入 a₀ 取 ½，y = 0。
#
# 光是权重大，没有用，这一点我们已经知道：它会把 z 推得离 0 很远，那里的 sigmoid 是平的。所以偏置要配合着取，让每个神经元的 z 都等于 0。a₀ = ½，那么需要 b₁ = −50；这时 a₁ = σ(0)，又是 ½，后面照此类推。
#
# 先猜一猜：每个神经元的因子 wσ′(z) 是多大？如果 ∂C/∂b₄ 是 0.125，∂C/∂b₁ 又是多大？

# %%
chain = neuron_chain([100.0] * 4, [-50.0] * 4, a0=0.5, y=0.0)
gradients = vg.backprop(chain.cost, wrt=chain.b)
for bias in chain.b:
    print(f"∂C/∂{bias.name} = {gradients[bias]}")

# %% tags=["hidden"]
assert [float(gradients[b]) for b in chain.b] == [1953.125, 78.125, 3.125, 0.125]
assert gradients[chain.b[0]] / gradients[chain.b[2]] == 625

# %% [markdown] en="6c0b43f5"
# 每个因子都是 100 · ¼ = 25。从右往左，每过一个神经元，梯度就变成 25 倍：0.125、3.125、78.125、1953.125。从 b₃ 到 b₁ 一共是 625 倍。第 6 课里最温和的那条链子，在这段路上缩小到十六分之一；这一条却放大到 625 倍。这就是**梯度爆炸**（exploding gradient）。

# %%
show(
    vg.draw(chain.cost, wrt=chain.b[0]),
    "权重为 100 的链子：从 C 回到 b₁ 的箭头变成橙色，梯度从 0.125 一直增大到 1953",
)

# %% [markdown] en="c716b45c"
# 请与第 6 课的同一种图对照。那里的箭头越往左越细；这里，传回来的东西一超过 1，箭头就变成橙色。
#
# ### 练习 8.1：把链子调到平衡
#
# 为了做到这一点，偏置是精心挑选的。请写出 `balance(w, a0)`：任给一串权重和一个输入，给出一串偏置，使每个神经元都处在自己最陡的地方。


# %% tags=["exercise"]
def balance(w, a0):
    """使链子上每个 z 都等于零的偏置。"""
    ...


# %% tags=["solution"]
def balance(w, a0):
    """使链子上每个 z 都等于零的偏置。"""
    inputs = [a0] + [0.5] * (len(w) - 1)  # z = 0 时，神经元说的是 ½
    return [-w_j * a for w_j, a in zip(w, inputs, strict=True)]


# %% tags=["check"]
with check("8.1", hint="b_j 要抵消 w_j 乘以这个神经元听到的数。第一个听到的是 a₀，后面的听到的是什么？"):
    answered(balance)
    rng = np.random.default_rng(81)
    for length in (1, 2, 5):
        w_try, a = (60 * rng.standard_normal(length)).tolist(), float(rng.random())
        b_try = list(balance(w_try, a))
        assert len(b_try) == length, f"{length} 个权重要配 {length} 个偏置，而不是 {len(b_try)} 个"
        for j, (w_j, b_j) in enumerate(zip(w_try, b_try, strict=True), start=1):
            a = float(vg.sigmoid(w_j * a + b_j))
            seen = f"共 {length} 个，第 {j} 个神经元的 w = {w_j:.2f}：它的斜率是 {a * (1 - a):.4g}，还可以更陡"
            assert math.isclose(a, 0.5, rel_tol=1e-6), seen

# %% [markdown] en="7684f67a"
# ## 这算学得快吗？
#
# 第一个神经元的梯度很大，听上去像是学得很快。我们让偏置按梯度下降走一步，学习率用第 7 课的 0.1，然后再看一次梯度。

# %%
moved = [float(b.data - 0.1 * gradients[b]) for b in chain.b]
after = neuron_chain([100.0] * 4, moved, a0=0.5, y=0.0)
again = vg.backprop(after.cost, wrt=after.b)
for before, now in zip(chain.b, after.b, strict=True):
    print(f"{now.name}：从 {before.data:.2f} 到 {now.data:8.2f}，∂C/∂{now.name} 现在是 {again[now]:.0e}")

# %% tags=["hidden"]
assert f"{moved[0]:.0f}" == "-245"
assert f"{100 * 0.5 + moved[0]:.0f}" == "-195"
assert 0 < again[after.b[0]] < 1e-160
assert 0 < again[after.b[3]] < 1e-40

# %% [markdown] en="c6200a80"
# 偏置 b₁ 从 −50 一下子被甩到 −245，于是 z₁ 到了大约 −195。sigmoid 在那里是平的，别的神经元那里也是如此。将近两千的梯度，*一步*之后剩下不到 1e-160。这条链子再也动不了了。梯度爆炸不等于学得快，它是一下子跳进了饱和。
#
# ## 站在刀刃上
#
# 就算一步也不走，这样的平衡又有多牢靠？在真正的网络里，每幅图像的输入都不一样。我们按输入 ½ 把链子调到平衡，再给它稍有不同的输入，看 ∂C/∂b₁ 与 ∂C/∂b₄ 之比怎样变化。


# %%
def first_to_fourth(weight, a0):
    """按输入 ½ 调到平衡的链子的 |∂C/∂b₁ : ∂C/∂b₄|。"""
    chain = neuron_chain([weight] * 4, [-weight / 2] * 4, a0)
    found = vg.backprop(chain.cost, wrt=chain.b)
    return abs(found[chain.b[0]] / found[chain.b[3]])


inputs = 0.5 + np.linspace(-0.05, 0.05, 101)
with plot(
    "输入从 0.45 到 0.55：w = 4 时，比值处处接近 1；w = 20 时，是一座高 125 的小山，"
    "很快就降到 1 以下；w = 100 时，只在二分之一处有一根针，周围什么也没有"
) as axes:
    for weight, style in ((4.0, "--"), (20.0, "-."), (100.0, "-")):
        ratios = [first_to_fourth(weight, a0) for a0 in inputs]
        axes.semilogy(inputs, ratios, style, label=f"w = {weight:.0f}")
    axes.set(xlabel="输入 a₀", ylabel="∂C/∂b₁ : ∂C/∂b₄", ylim=(1e-12, 1e6))
    axes.legend(loc="lower left")

# %% tags=["hidden"]
assert first_to_fourth(100.0, 0.5) == 25**3 == 15625
assert first_to_fourth(100.0, 0.505) < 1e-20
assert first_to_fourth(20.0, 0.5) == 125
assert first_to_fourth(20.0, 0.55) < 0.001
assert 0.9 < first_to_fourth(4.0, 0.55) < 1

# %% [markdown] en="8767faca"
# w = 100 时，输入取 ½，第一个神经元学得比第四个快 15,625 倍。输入取 0.505，它的速度却不到第四个的 1e-20。同一条链子，对这幅图像爆炸，对下一幅图像消失。权重越大，这根针就越细。
#
# 现在可以用一个更恰当的词了：深层网络的梯度是**不稳定**的（unstable）。它是许多因子的乘积，而没有什么东西能把这样的乘积拉在 1 附近。
#
# ## 乘积是一次游走
#
# 想看得更清楚，就取对数。乘积的对数等于各因子对数之*和*。所以在对数刻度上，往回的路上每遇到一个神经元就迈一步：因子小于 1，往下；大于 1，往上。权重是随机的，步子也就是随机的，梯度做的是**随机游走**（random walk）。
#
# 下面是二十条随机的链子，每条三十个神经元，权重和偏置都取自 N(0, 1)。

# %%
drawn = random_chains(20_000, 31, np.random.default_rng(8))
steps = drawn.log_terms[1:] / math.log(10)  # 三十个神经元的 log₁₀ |wσ′(z)|，也就是十的几次方
walks = np.vstack([np.zeros(20_000), np.cumsum(steps[::-1], axis=0)])
drift, spread = steps.mean(), steps.std()
print(f"一步：平均 {drift:.2f}，标准差 {spread:.2f}")

back = np.arange(31)
with plot("二十条折线从 0 降到 −30 左右，围着一条直线像扇子一样散开") as axes:
    axes.plot(back, walks[:, :20], color="C0", alpha=0.45, linewidth=1)
    axes.plot(back, drift * back, color="C1", label="平均")
    for sign in (-2, 2):
        axes.plot(back, drift * back + sign * spread * np.sqrt(back), color="C1", linestyle="--")
    axes.plot([], [], color="C1", linestyle="--", label="± 2 · 散布 · √步数")
    axes.set(xlabel="往回走过的神经元", ylabel="剩下多少（log₁₀）")
    axes.legend()

# %% tags=["hidden"]
assert -1.02 < drift < -0.98
assert 0.47 < spread < 0.50
assert math.isclose(walks[30].mean(), 30 * drift, rel_tol=1e-9)
assert math.isclose(walks[30].std(), spread * math.sqrt(30), rel_tol=0.03)
within = np.abs(walks[30] - 30 * drift) < 2 * spread * math.sqrt(30)
assert 0.93 < within.mean() < 0.97
assert 400 < 10 ** (spread * math.sqrt(30)) < 500
assert 0.63 < np.mean(np.abs(walks[30] - 30 * drift) < spread * math.sqrt(30)) < 0.73
assert abs(np.corrcoef(steps[0], steps[1])[0, 1]) < 0.03

# %% [markdown] en="f14c9ee7"
# 图上要看两件事。第一，游走有**漂移**（drift）：平均每一步是 −1，也就是缩小到十分之一，所以过了 n 个神经元，就到了 −n。第二，游走有**散布**（spread）：单独一步大约有半格的上下出入，而互相独立的 n 步加起来，出入是一步的 √n 倍。走过三十个神经元，大约三分之二的链子与中间那条相差不到 500 倍，其余的差得更远。
#
# 消失还是爆炸，由漂移决定，而漂移不过是一个普普通通的数。小于 0 的办法有无穷多，大于 0 的办法也有无穷多，恰好等于 0 的只有一种。所以稳定是例外。何况即便漂移是 0，游走也会离开出发点，走出 √n 那么远。
#
# ## 把权重调大
#
# 现在我们只拧一个旋钮，权重的尺度 s，看漂移怎样变。一层有 n 个神经元时，权重取自 N(0, s²/n)（s = 1 就是第 7 课用的），偏置仍然取自 N(0, 1)。我们量的是：梯度往回走，每过一层变成几倍。小于 1 就消失，大于 1 就爆炸。

# %%
scales = np.geomspace(1, 64, 13)
with plot(
    "权重的尺度与每层的倍数。单个神经元一直在 0.2 以下，后来又下降；每层十个的一直"
    "在 1 以下；每层一百个的在尺度 11 附近超过 1，与无限宽的理论接近"
) as axes:
    alone = [growth_in_chains(s, 2000, 20, np.random.default_rng(0)) for s in scales]
    axes.loglog(scales, alone, "o-", label="单个神经元")
    for width, style in ((10, "s-"), (100, "^-")):
        measured = [np.median([growth_in_layers(s, width, 20, seed) for seed in range(9)]) for s in scales]
        axes.loglog(scales, measured, style, label=f"每层 {width} 个")
    axes.loglog(scales, [predicted_growth(s) for s in scales], "--", label="无限宽的层，理论")
    axes.axhline(1, color="0.5", linestyle=":", linewidth=1.5)
    axes.set(xlabel="权重的尺度 s", ylabel="每过一层变成几倍", ylim=(0.01, 4))
    axes.legend(loc="lower left", fontsize=8.5)
print(f"理论：s = {critical_scale(predicted_growth):.2f} 时恰好是 1 倍")

# %% tags=["hidden"]
assert f"{critical_scale(predicted_growth):.2f}" == "10.26"
assert max(alone) < 0.22
assert alone[-1] < 1e-6
for s in (1, 4, 8):
    assert all([growth_in_layers(s, 100, 20, seed) < 1 for seed in range(5)])
for s in (16, 32):
    assert all([growth_in_layers(s, 100, 20, seed) > 1 for seed in range(5)])
    assert np.median([growth_in_layers(s, 10, 20, seed) for seed in range(20)]) < 1
assert 1.55 < np.mean([growth_in_layers(32, 100, 20, seed) for seed in range(5)]) < 1.75
assert 0.58 < np.mean([growth_in_layers(4, 100, 20, seed) for seed in range(5)]) < 0.62
assert 1e-5 < 0.6**20 < 1e-4
assert 1e4 < 1.65**20 < 1e5

# %% [markdown] en="6a060268"
# 单个神经元的随机链子，无论尺度多大都会消失。过一个神经元，最好的时候也只有 0.2 左右的梯度通得过；权重再大，情形反而更差，因为 z 变大了，σ′ 变小了。想在这里看到爆炸，就得像我们刚才那样，亲手把每个神经元调到平衡。
#
# 宽的层就不同了。一个和式里有一百条路径，其中总有一些神经元的 z 碰巧在 0 附近，有它们就够了。于是每层的倍数随 s 一直变大，并且有一个**临界尺度**（critical scale）：在它以下，梯度消失；在它以上，梯度爆炸。对无限宽的层，理论给出的临界尺度是 10.26，一百个神经元的层与它很接近。s = 4 时，一层留下 0.6，二十层之后不到 1e-4。s = 32 时，一层大约是 1.65 倍，二十层之后超过 1e4 倍。
#
# ## 矩阵的乘积
#
# 对于层来说，因子是矩阵。第 7 课里，我们写过单个神经元往回走的一步；现在照书上的写法，把整层一次写出来：
#
# $$\delta^l = \Sigma'(z^l)\,(w^{l+1})^T\,\delta^{l+1}$$
#
# δˡ 是第 l 层的各个 ∂C/∂z 排成的一串数；只看一幅图像时，它与 ∂C/∂b 是一回事。Σ′(z) 是对角矩阵，对角线上是各个神经元的 σ′(z)；所以乘以它，就是让每个分量各乘自己的斜率。书上的 w，每个神经元占一行；我们的 `layer.w`，每个神经元占一*列*，所以它的转置在这里写成 `w @ delta`。
#
# 用第 5 课的交叉熵，最后一个是 δᴸ = aᴸ − y：网络的回答减去想要的回答，正确的那个数字想要 1，其余的想要 0。
#
# ### 练习 8.2：亲手做反向传播
#
# 请写出 `deltas(net, x, digit)`：对*一幅*图像 x（784 个数）和图上的数字，给出列表 δ¹、δ² … δᴸ。网络由 sigmoid 层组成，有十个输出。`layer.w.data` 的形状是（输入数，神经元数），`layer.b.data` 是一维的，长度就是神经元数。


# %% tags=["exercise"]
def deltas(net, x, digit):
    """每一层的 δ，输出层也在内，由数组组成的列表。"""
    ...


# %% tags=["solution"]
def deltas(net, x, digit):
    """每一层的 δ，输出层也在内，由数组组成的列表。"""
    a, slopes = x, []
    for layer in net.layers:
        a = vg.sigmoid(a @ layer.w.data + layer.b.data)
        slopes.append(a * (1 - a))
    found = [a - (np.arange(10) == digit)]
    for k in range(len(net.layers) - 2, -1, -1):
        found.append(slopes[k] * (net.layers[k + 1].w.data @ found[-1]))
    return found[::-1]


# %% tags=["check"]
X, y = vg.datasets.mnist_sample().train
with check("8.2", hint="往前走：记下每一层的 a(1 − a)。往回走：第 k 层的 δ 是 slopes[k] * (第 k + 1 层的 w @ δ)。"):
    answered(deltas)
    for place, hidden in enumerate(([6], [7, 5], [5, 5, 4])):
        tried = vg.nn.MLP([784, *hidden, 10], seed=82)
        biases = [layer.b for layer in tried.layers]
        C = vg.nn.losses.cross_entropy(tried.logits(X[place : place + 1]), y[place : place + 1])
        judge = vg.backprop(C, wrt=biases)
        answer = list(deltas(tried, X[place], y[place]))
        assert len(answer) == len(biases), f"{len(biases)} 层应当有 {len(biases)} 个 δ，而不是 {len(answer)} 个"
        for layer, (own, bias) in reversed(list(enumerate(zip(answer, biases, strict=True), start=1))):
            assert np.shape(own) == bias.shape, f"δ{layer} 的形状应当是 {bias.shape}，你的是 {np.shape(own)}"
            off = np.linalg.norm(own - judge[bias]) / np.linalg.norm(judge[bias])
            assert off < 1e-8, f"各层大小 {tried.sizes}：δ{layer} 的误差是它长度的 {off:.1e} 倍"

# %% [markdown] en="6d2ff5d9"
# 现在对第 7 课那样有四个隐藏层的网络用一次 `vg.explain`。它的因子是矩阵，表里给出了各个矩阵的**谱范数**（spectral norm）：这个矩阵最多能把一串数拉长几倍。（它按行向量来写乘积，所以次序正好反过来。）

# %%
digits, labels = vg.datasets.mnist_sample().train
net = vg.nn.MLP([784, 30, 30, 30, 30, 10], seed=0)
loss = vg.nn.losses.cross_entropy(net.logits(digits[:1]), labels[:1])
print(vg.explain(loss, wrt=net.layers[0].b))

# %% tags=["hidden"]
norms = [term.matrix.spectral_norm for term in vg.explain(loss, wrt=net.layers[0].b).terms if term.matrix]
assert len(norms) == 4
assert max(norms) < 0.5
assert 0.02 < math.prod(norms) < 0.025

# %% [markdown] en="cb3ddb9e"
# 四个谱范数都小于 0.5。所以不管传来的消息是什么，这些矩阵没有一个能把它拉长：每一个至少拿走一半，平均拿走得更多。在这里，消失已经不是碰运气的事了。
#
# ## 平衡了，仍然不稳定
#
# 也许有人会想，临界尺度不就是答案吗？选好 s，让倍数恰好是 1。我们来看看，这时矩阵的乘积会怎样。一个矩阵有许多**奇异值**（singular value）：在某个方向上，它按最大的奇异值拉伸；在别的方向上，按较小的奇异值。我们取一个每层一百个神经元的网络，s = 11，把它的 1 个、2 个、5 个、10 个矩阵乘起来。

# %%
plain = vg.nn.MLP([100] * 12, seed=0)
critical = plain.bind([vg.Tensor(11 * p.data) if p.ndim == 2 else p for p in plain.parameters()])
products = factors_of(critical, np.random.default_rng(0).random((1, 100)), np.array([3])).products()
spectra = {n: np.linalg.svd(products[-n][0], compute_uv=False) for n in (1, 2, 5, 10)}
with plot(
    "1 个、2 个、5 个、10 个矩阵之积的奇异值，从大到小排列：每条曲线都从 3 与 20 之间开始，后一条总比前一条降得更陡"
) as axes:
    for (n, values), style in zip(spectra.items(), ("-", "--", "-.", ":"), strict=True):
        axes.semilogy(np.arange(1, 51), values[:50], style, label=f"{n} 层")
    axes.set(xlabel="第几个奇异值", ylabel="拉伸几倍", ylim=(1e-14, 1e3))
    axes.legend(loc="lower left")

for n, values in spectra.items():
    print(f"{n:2} 层：方均根 {np.sqrt(np.mean(values**2)):.2f}，最大 {values[0]:5.2f}，中间 {values[50]:.0e}")

# %% tags=["hidden"]
sizes = {n: np.sqrt(np.mean(values**2)) for n, values in spectra.items()}
assert all([0.5 < size < 2 for size in sizes.values()])
assert all([values[0] > 2.5 for values in spectra.values()])
assert spectra[10][0] > 5
assert 0.01 < spectra[1][50] < 0.1
assert spectra[10][50] < 1e-10
assert np.sum(spectra[10] > 0.1) < 20

# %% [markdown] en="7a96939f"
# 平均来说，长度保住了：奇异值的方均根一直在 1 附近，临界尺度本该如此。可是请看曲线。过了十层，少数几个方向被拉长到 5 倍以上，而一半的方向缩小到了 1e-10 以下。平均起来，既没有消失，也没有爆炸；实际上，几乎全都在消失，只有一点点在爆炸。每个方向都在做自己的游走。
#
# 所以，光靠调随机权重的大小，还不是治好 sigmoid 层的办法。也许有用的是：让*每个因子*自己就接近 1，在所有的方向上都是如此，这样就没有什么需要平衡的了。
#
# ## 这一课带走什么
#
# * 取 w = 100、z = 0，每个因子都是 25，**梯度爆炸**：从 b₃ 到 b₁ 是 625 倍。再走一步，所有神经元都饱和了。
# * 许多随机因子的乘积，取对数就是**随机游走**。漂移决定是消失还是爆炸，散布按 √n 变大。要停在 1 附近，只能靠平衡。
# * 随机的链子，权重的尺度无论多大都会消失；宽的层有一个**临界尺度**。
# * 对于层，因子是矩阵 Σ′(z)wᵀ。即使平均长度保住了，大多数方向还是会消失。
# * 所以，问题不在于梯度小，而在于**梯度不稳定**，各层学得有快有慢，相差悬殊。
#
# 每个因子由三样东西构成：斜率、权重，还有“绕不过去”这件事本身。这三样，你会改哪一样？第 9 课把它们一样一样全改一遍。
