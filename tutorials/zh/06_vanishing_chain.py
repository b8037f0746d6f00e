# %% [markdown] minutes=20 en="1d79ba84"
# # 6. 梯度在链子里消失
#
# 第 1 课里，两个神经元一前一后，第二个偏置受到的拉力，传到第一个偏置时只剩下大约七分之一。那还只是路上多了一个神经元。第 5 课里，有一个隐藏层的网络学会了认数字。照理说，层多了只有好处：浅的网络能做的，深的网络都能做，而且能做的还更多。
#
# 可是在很长的时间里，几乎没有人训练得动深的网络：前面的层不学。这一课要把原因找出来，而且就在最小的深网络里找：神经元排成一串，每层一个。我们把链式法则的因子一个一个拿来看，问它有多小，问它是不是非这么小不可，再问有没有出路。

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.lab import neuron_chain
from tinygrad_vg.lab.chain_terms import small_changes
from tinygrad_vg.lab.identity_neurons import with_identity_layers
from tinygrad_vg.lab.random_chains import random_chains
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("06_vanishing_chain", lang="zh")

# %% [markdown] en="cc824f34"
# ## 排成一串的四个神经元
#
# 每个神经元只听它前面的那一个，别的一概不听：
#
# $$z_j = w_j a_{j-1} + b_j \qquad a_j = \sigma(z_j) \qquad j = 1, 2, 3, 4 \qquad\qquad C = \tfrac12 (a_4 - y)^2$$
#
# a₀ 是输入。这样的链子，本库可以替我们造好。权重都很平常，没有一个超过 1。
#
# 每个神经元会学得多快？梯度下降（第 5 课）走一步，偏置就移动 −η·∂C/∂b，其中 η 是**学习率**。所以 ∂C/∂b 有多大，这个神经元就学得有多快；人们就把它叫做神经元的**学习速度**（learning speed）。
#
# 先猜一猜再往下看。第四个神经元紧挨着输出，第一个在最远的那头，中间隔着三步。第四个比第一个学得快多少倍？

# %%
w, b, a0, y = (0.8, -0.6, 0.9, -0.4), (0.1, -0.2, 0.3, 0.05), 0.7, 0.0
chain = neuron_chain(w, b, a0, y)
gradients = vg.backprop(chain.cost, wrt=chain.b)

for bias in chain.b:
    print(f"∂C/∂{bias.name} = {gradients[bias]: .3e}")
print(f"第四个学习的速度是第一个的 {abs(gradients[chain.b[3]] / gradients[chain.b[0]]):.0f} 倍")

# %% tags=["hidden"]
assert f"{gradients[chain.b[0]]:.3e}" == "2.798e-04"
assert f"{abs(gradients[chain.b[3]] / gradients[chain.b[0]]):.0f}" == "396"

# %% [markdown] en="1baa14ac"
# 396 倍。第四个偏置走一整步，第一个只走它的四百分之一。而这条链子没有哪一处是极端的。
#
# ## 一个一个看因子
#
# 它是在哪里丢掉的？下面就是这条链子，画出了从 C 回到 b₁ 的路。请从右往左，顺着蓝色的箭头走，看它们怎样越来越细。

# %%
show(
    vg.draw(chain.cost, wrt=chain.b[0]),
    "排成一串的四个神经元和代价；从 C 回到 b₁ 的路穿过全部四个神经元，每过一个就细一些",
)

# %% [markdown] en="99b3be2b"
# `vg.explain` 把同一条路写成一个乘积，和第 1 课、第 3 课一样。

# %%
story = vg.explain(chain.cost, wrt=chain.b[0])
print(story)

# %% [markdown] en="11d035f5"
# 在 b₁ 处推一下，这一推原样到达 z₁。第一个神经元传下去的，是它的 σ′(z₁) 倍。后面的每个神经元，都先乘以自己的权重，再乘以自己那个 sigmoid 的斜率：路上每多一个神经元，就多一个因子 **wσ′(z)**。末尾是 ∂C/∂a₄，也就是代价怎样看待这一推。
#
# $$\frac{\partial C}{\partial b_1} = \sigma'(z_1) \cdot w_2\sigma'(z_2) \cdot w_3\sigma'(z_3) \cdot w_4\sigma'(z_4) \cdot \frac{\partial C}{\partial a_4}$$
#
# 那么 ∂C/∂b₄ 呢？它是 σ′(z₄)·∂C/∂a₄，就是同一个乘积的尾巴。两者的差别在于当中的那几个因子，此外再没有别的差别。

# %%
names = [term.text for term in story.terms]
with plot(
    "左图是五根柱子：四个因子都不到四分之一，只有 ∂C/∂a₄ 超过了它。右图，从 C 回到 b₁，"
    "每过一个神经元，剩下的就降到四分之一到十分之一",
    panels=2,
    width=9.2,
    height=3.4,
) as (left, right):
    left.bar(names, [abs(term.value) for term in story.terms])
    left.axhline(0.25, color="C1", linewidth=1.2, linestyle="--", label="¼")
    left.legend(loc="upper left")
    left.set(title="各个因子，不看正负号")
    right.bar(names, [abs(term.product) for term in story.terms], color="C2")
    right.set(title="从 C 回到这里，还剩多少", yscale="log", ylim=(1e-4, 1))
    for axes in (left, right):
        axes.tick_params(axis="x", labelsize=8)

# %% tags=["hidden"]
assert all([abs(term.value) < 0.25 for term in story.terms[:4]])
assert abs(story.terms[4].value) > 0.25
assert story.value == story.terms[0].product
shrinks = [abs(term.value) for term in story.terms[1:4]]
assert 1 / 11 < min(shrinks) < max(shrinks) < 1 / 4

# %% [markdown] en="fd992381"
# 先看左图。除了最后一个，没有哪根柱子够得着四分之一处的虚线。不能单怪哪一个，它们都很平常。再看右图，从右往左看：每个神经元都从传到它这里的东西里扣掉一份。在对数刻度上，这就成了一道楼梯，一直往下通到 2.798e-04。这就是**梯度消失**（vanishing gradient）。
#
# ## 从前面再走一遍
#
# 第 1 课说过，任何时候都可以动手试一试来核对。把 b₁ 推动 Δ，跟着变化往前走：
#
# $$\Delta a_1 \approx \sigma'(z_1)\,\Delta b_1 \qquad \Delta a_2 \approx w_2\sigma'(z_2)\,\Delta a_1 \qquad \dots$$
#
# 每个 ≈ 都是用斜率代替了曲线。推动量减半，由此产生的误差应当降到*四分之一*。经过四个神经元之后，还是这样吗？

# %%
nudges = 0.5 ** np.arange(8)
errors = small_changes(w, b, a0, nudges)["C"]
for nudge, error, ratio in zip(nudges[1:], errors[1:], errors[:-1] / errors[1:], strict=True):
    print(f"Δb₁ = {nudge:.4f}：ΔC 的误差是 {error:.2e}，上一次是它的 {ratio:.2f} 倍")

# %% tags=["hidden"]
assert 3.9 < errors[-2] / errors[-1] < 4.1

# %% [markdown] en="bdf0133b"
# 还是这样。所以这个乘积是对的，我们可以放心用它。
#
# ### 练习 6.1：一次求出所有的偏置
#
# 在练习 1.3 里，你写出了五个斜率的一个乘积。现在请写出全部的 ∂C/∂b₁ … ∂C/∂b_L，链子的长度 L 可以是任何数。不要每个乘积都从头乘起：从代价出发往回走，把乘积带在身上。


# %% tags=["exercise"]
def bias_gradients(w, b, a0, y):
    """权重和偏置如上的链子的 ∂C/∂b₁ … ∂C/∂b_L，一个列表。"""
    ...


# %% tags=["solution"]
def bias_gradients(w, b, a0, y):
    """权重和偏置如上的链子的 ∂C/∂b₁ … ∂C/∂b_L，一个列表。"""
    a, slopes = a0, []
    for w_j, b_j in zip(w, b, strict=True):
        a = 1 / (1 + math.exp(-(w_j * a + b_j)))
        slopes.append(a * (1 - a))
    found, message = [], a - y
    for w_j, slope in zip(reversed(w), reversed(slopes), strict=True):
        message = message * slope  # 现在到了 z_j，也就到了 b_j
        found.append(message)
        message = message * w_j  # 现在到了前一个激活值
    return found[::-1]


# %% tags=["check"]
with check("6.1", hint="往前走：把 σ′(z_j) = a_j(1 − a_j) 存好。往回走：从 a_L − y 开始；乘斜率，记下来，乘权重。"):
    answered(bias_gradients)
    rng = np.random.default_rng(61)
    for length in (1, 2, 3, 6, 9):
        tried_w, tried_b = rng.normal(size=length).tolist(), rng.normal(size=length).tolist()
        tried = neuron_chain(tried_w, tried_b, 0.4, 0.9)
        judge = vg.backprop(tried.cost, wrt=tried.b)
        answer = bias_gradients(tried_w, tried_b, 0.4, 0.9)
        assert len(answer) == length, f"{length} 个神经元的链子有 {length} 个偏置，而你的列表里有 {len(answer)} 个数"
        for j, (own, bias) in enumerate(zip(answer, tried.b, strict=True), start=1):
            seen = f"{length} 个神经元的链子，∂C/∂b{j}：你的是 {float(own):.6g}，backprop 给出 {judge[bias]:.6g}"
            assert math.isclose(own, judge[bias], rel_tol=1e-9), seen

# %% [markdown] en="5f1d6f9b"
# ## 最温和的链子
#
# 也许是我们这条链子运气不好。最好能好到什么程度？你知道 σ′ 绝不超过四分之一（第 1 课）。所以，只要权重的大小不超过 1，就有
#
# $$|w_j\,\sigma'(z_j)| \le \tfrac14$$
#
# 而 ∂C/∂b₁ 与 ∂C/∂b₃ 相比，无论怎么做，至少要再乘上两个这样的因子。
#
# ### 练习 6.2：丢得尽量少
#
# 请造一条最温和的四神经元链子：选四个 −1 与 1 之间的权重，再选四个偏置，使 ∂C/∂b₁ 与 ∂C/∂b₃ 相比尽可能大。输入是 a₀ = 0.7。（这时它还是小了多少倍？）

# %% tags=["exercise"]
kind_w = ...
kind_b = ...

# %% tags=["solution"]
kind_w = [1.0, 1.0, 1.0, 1.0]
kind_b = [-0.7, -0.5, -0.5, -0.5]  # 每个 z 都是 0，于是每个 a 是 ½，每个 σ′ 是四分之一

# %% tags=["check"]
with check("6.2", hint="σ′ 在 z = 0 处最大。b₁ 取多少，z₁ 就是 0？这时 a₁ 是多少，b₂ 又该怎样配它？"):
    answered(kind_w, kind_b)
    assert len(kind_w) == len(kind_b) == 4, "四个神经元的链子需要四个权重和四个偏置"
    assert max(np.abs(kind_w)) <= 1, f"权重应当在 −1 与 1 之间，可是有一个是 {max(kind_w, key=abs)}"
    tried = neuron_chain(kind_w, kind_b, a0=0.7)
    judge = vg.backprop(tried.cost, wrt=tried.b)
    assert judge[tried.b[0]] != 0, "∂C/∂b₁ 是 0：什么也传不过这条链子"
    loss = abs(judge[tried.b[2]] / judge[tried.b[0]])
    assert loss < 16.01, f"这里 ∂C/∂b₃ 是 ∂C/∂b₁ 的 {loss:.2f} 倍，还有比这更小的链子"

# %% tags=["hidden"]
kindest = neuron_chain([1.0] * 4, [-0.7, -0.5, -0.5, -0.5], 0.7)
found = vg.backprop(kindest.cost, wrt=kindest.b)
assert math.isclose(found[kindest.b[2]] / found[kindest.b[0]], 16, rel_tol=1e-12)

# %% [markdown] en="71eafe29"
# 小到十六分之一，而这已经是*最好*的情形。Michael Nielsen 书里的“16 倍（或更多）”，那个十六就是这样来的。权重不超过 1 的话，十个神经元要付的代价，至少是 4 的九次方倍。
#
# ## 平常的链子
#
# 那么，平常会遇到什么样的？训练之前，权重是随机抽取的。我们来抽十万条链子，权重和偏置都服从平均值为 0、标准差为 1 的正态分布，记作 N(0, 1)；输入取 0 与 1 之间的某个数。

# %%
drawn = random_chains(100_000, 8, np.random.default_rng(6))
factors = np.exp(drawn.log_terms[1:])  # 神经元 2 到 8 的 |w_j σ′(z_j)|
losses = np.exp(drawn.log_loss())  # |∂C/∂b_j : ∂C/∂b₁|，每个 j 一行

print(f"|w| < 1：     {np.mean(np.abs(drawn.w) < 1):.1%}")
print(f"|wσ′(z)| < ¼：{np.mean(factors < 0.25):.1%}")
print(f"|wσ′(z)| ≥ 1：{np.mean(factors >= 1):.4%}")
print(f"|∂C/∂b₃ : ∂C/∂b₁|：{np.mean(losses[2] > 16):.0%} 的链子在 16 以上，居中的那条是 {np.median(losses[2]):.0f}")

# %%
with plot(
    "左图是 log₁₀|wσ′(z)| 的直方图：一座小山，五分之四在四分之一的左边，1 和 1 以上几乎没有。"
    "右图，居中的链子每过一个神经元丢掉十倍，比最温和的那条丢得多",
    panels=2,
    width=9.2,
    height=3.6,
) as (left, right):
    left.hist(np.log10(factors.ravel()), bins=np.linspace(-4, 0.5, 91), density=True)
    left.axvline(np.log10(0.25), color="C1", linestyle="--", linewidth=1.2, label="¼")
    left.axvline(0, color="C3", linestyle=":", linewidth=1.5, label="1")
    left.set(title="随机链子的一个因子", xlabel="log₁₀ |wσ′(z)|", ylabel="密度")
    left.legend(loc="upper left")
    low, middle, high = np.quantile(losses, [0.05, 0.5, 0.95], axis=1)
    neurons = np.arange(1, 9)
    right.fill_between(neurons, low, high, alpha=0.25, linewidth=0, label="十条链子里的九条")
    right.semilogy(neurons, middle, "o-", label="居中的那条")
    right.semilogy(neurons, 4.0 ** (neurons - 1), "--", label="最温和的，|w| ≤ 1：每个神经元 4 倍")
    right.set(title="神经元 j 的学习速度是第一个的多少倍", xlabel="神经元 j")
    right.legend(loc="upper left")

# %% tags=["hidden"]
assert 0.675 < np.mean(np.abs(drawn.w) < 1) < 0.69
assert 0.80 < np.mean(factors < 0.25) < 0.82
assert np.mean(factors >= 1) < 1 / 10_000
assert 0.097 < np.exp(np.mean(np.log(factors))) < 0.102  # 大约 0.1
assert 0.88 < np.mean(losses[2] > 16) < 0.92
assert np.quantile(losses[2], 0.95) > 100 * np.quantile(losses[2], 0.05)
assert 74 < np.median(losses[2]) < 84
assert np.allclose(np.log10(middle[1:]), 0.985 * np.arange(1, 8), rtol=0.1)
alone = [random_chains(100_000, 1, np.random.default_rng(7), a0=a).log_terms for a in (0.0, 1.0)]
assert 0.76 < np.mean(alone[0] < math.log(0.25)) < 0.78
assert 0.88 < np.mean(alone[1] < math.log(0.25)) < 0.90

# %% [markdown] en="b88645cc"
# 左图是所有神经元的因子。书上说，|wσ′(z)| *通常*小于四分之一，因为通常 |w| < 1。现在我们知道“通常”是多少了：抽到 |w| < 1 的占三分之二，因子小于四分之一的占五分之四。其余的大多在四分之一和 1 之间。因子达到 1 的非常少见，10,000 个里还不到一个。
#
# 右图是由此得到的结果。这些因子的几何平均数大约是 0.1，所以居中的那条链子，每过一个神经元就丢掉*十*倍。第三个与第一个之间大约是 80 倍，而不是 16 倍。再看那条带子：它越来越宽。有的链子比别的链子糟一百倍。请记住这一点，第 8 课要用。
#
# （每十条链子里有一条比 16 倍好：这里的权重可以大于 1，有几个也确实大于 1。）
#
# 为什么因子超过四分之一，比权重超过 1 还要少见？原因有两个。一是偏置把 z 从 0 推开，而离开了 0，σ′ 就变小：哪怕输入 a = 0，也有 77 % 的抽取结果，因子小于四分之一。二是 w 在 wσ′(wa + b) 里出现了两次：w 大，前面的因子就大，可是 z 也被它赶得离 0 更远。输入越响，这一点就越要紧：a = 1 时是 89 %。
#
# ## 什么时候不会消失？
#
# 因子都在 1 左右，链子才保得住梯度。所以要问：|wσ′(wa + b)| 什么时候能达到 1，甚至更大？σ′ 最多是四分之一，所以 |w| 至少要是 4。但这还不够：z 还得同时待在 0 附近。那么，输入 a 有多大的活动余地？
#
# 取 w = 8、b = −4，让 a 把 0 到 1 都走一遍。

# %%
inputs = np.linspace(0, 1, 401)
with plot(
    "|wσ′(wa + b)| 随输入 a 变化的三座小山：w = 4 时山顶碰到 1；w = 8 时中间有一段在 1 以上；w = 30 时又高又窄"
) as axes:
    for weight, style in ((4, "--"), (8, "-"), (30, "-.")):
        z = weight * inputs - weight / 2  # b = −w/2，这样山顶在 a = ½ 处
        axes.plot(inputs, weight * vg.sigmoid(z) * vg.sigmoid(-z), style, label=f"w = {weight}")
    axes.axhline(1, color="C3", linestyle=":", linewidth=1.5)
    axes.set(xlabel="a", ylabel="|wσ′(wa + b)|")
    axes.legend()

# %% [markdown] en="e3f3ead4"
# 点线在 1 处。w = 4 时，小山只在一个 a 上刚刚碰到它。w = 8 时，中间有一段，因子在 1 以上。w = 30 时，小山很高，却很窄：a 稍微一动，神经元就饱和了。偏置只是把小山往左或往右移，这一段有多长，只由 w 决定。
#
# ### 练习 6.3：这一段有多长？
#
# 请写 `stretch(w)`：满足 |wσ′(wa + b)| ≥ 1 的 a 的范围有多长，没有这样的 a 就是 0。（这是书里的一道题。）这一段的端点处，σ(z)(1 − σ(z)) = 1/|w|。这是关于 σ(z) 的一个二次方程；由 σ(z) 用 z = ln(σ/(1 − σ)) 得到 z，再由 z 得到 a 走过的距离。也可以用搜索找出端点。w 可能是负数。


# %% tags=["exercise"]
def stretch(w):
    """满足 |wσ′(wa + b)| ≥ 1 的 a 的范围有多长。"""
    ...


# %% tags=["solution"]
def stretch(w):
    """满足 |wσ′(wa + b)| ≥ 1 的 a 的范围有多长。"""
    w = abs(w)
    if w <= 4:
        return 0.0
    a = (1 + math.sqrt(1 - 4 / w)) / 2  # σ(1 − σ) = 1/w 较大的那个根
    z = math.log(a / (1 - a))  # 另一端在 −z 处
    return 2 * z / w


# %% tags=["check"]
with check("6.3", hint="从 z = −z₀ 到 z = z₀，距离是 2z₀。z = wa + b 动 1 的时候，a 动多少？"):
    answered(stretch)
    for tried_w in (0.5, 3.0, -2.0):
        assert stretch(tried_w) == 0, f"w = {tried_w} 时因子到不了 1，而你给出的长度是 {stretch(tried_w)}"
    for tried_w in (4.1, 5.0, 8.0, 30.0, 100.0, -6.0):
        z = abs(tried_w) * stretch(tried_w) / 2  # 在这一段的端点
        at_end = abs(tried_w) * vg.sigmoid(z) * vg.sigmoid(-z)
        seen = f"w = {tried_w}：你给出的长度是 {stretch(tried_w):.4f}，而在它的两端，因子是 {at_end:.4f}，不是 1"
        assert stretch(tried_w) > 0, f"w = {tried_w} 时有这样一段，而你给出的长度是 {stretch(tried_w)}"
        assert math.isclose(at_end, 1, rel_tol=2e-3), seen

# %% [markdown] en="968e414c"
# 权重取多大，留下的余地最大？

# %%
weights = np.linspace(4, 60, 20_001)
roots = (1 + np.sqrt(1 - 4 / weights)) / 2
lengths = 2 / weights * np.log(roots / (1 - roots))
best = np.argmax(lengths)
with plot("这一段的长度随 |w| 变化：在 4 处是 0，陡升到 6.9 附近的 0.45，然后慢慢下降") as axes:
    axes.plot(weights, lengths)
    axes.plot(weights[best], lengths[best], "o", color="C1")
    spot = (weights[best], lengths[best])
    axes.annotate(f"|w| = {weights[best]:.2f} 处是 {lengths[best]:.3f}", spot, (10, 0), textcoords="offset points")
    axes.set(xlabel="|w|", ylabel="a 的这一段有多长", ylim=(0, 0.5))

# %% tags=["hidden"]
assert f"{lengths[best]:.2f}" == "0.45"
assert f"{lengths[best]:.3f}" == "0.448"
assert f"{weights[best]:.1f}" == "6.9"
at_100 = (1 + math.sqrt(1 - 4 / 100)) / 2
assert f"{2 / 100 * math.log(at_100 / (1 - at_100)):.2f}" == "0.09"

# %% [markdown] en="f409e205"
# |w| = 6.9 时最长，长度是 0.45。所以，哪怕在最最好的情形下，前一个神经元能说的话里，也只有不到一半能让这个神经元保住梯度，而且还得由偏置把这一半摆到合适的位置上。w = 100 时，只剩下 0.09。光靠大权重，走不出去。
#
# ## 什么也不做的神经元
#
# 还有一个角度可以看这件事。浅的网络能做的，深的网络肯定也能做：让多出来的层把收到的东西原样递过去就行。sigmoid 神经元做得到吗，把输入 x 原样交出来？
#
# ### 练习 6.4：恒等神经元
#
# 请找四个数 w₁、b、w₂ 和 c，使
#
# $$w_2\,\sigma(w_1 x + b) - c \approx x \qquad (0 \le x \le 1)$$
#
# 误差小于千分之一。（这也是书里的一道题。在网络里，w₂ 和 c 属于下一层：c 并进它的偏置。）想象把 sigmoid 的那个 S 放到放大镜下：哪里是直的，又有多陡？

# %% tags=["exercise"]
w1, b1, w2, c = ..., ..., ..., ...

# %% tags=["solution"]
w1 = 0.01  # 小到 z 只动百分之一：在那里 S 是直的，斜率是 ¼
b1 = -w1 / 2  # 在中间 x = ½ 处，z = 0
w2 = 4 / w1  # 把 w₁ 和那个四分之一都补回来
c = w2 / 2 - 1 / 2  # 在 x = ½ 处神经元说 ½，而 w₂/2 − c 应当是 ½

# %% tags=["check"]
with check("6.4", hint="w₁ 很小、z 在 0 附近时，σ(w₁x + b) 对 x 来说就是一条直线，斜率是 w₁/4。"):
    answered(w1, b1, w2, c)
    x = np.linspace(0, 1, 201)
    off = np.abs(w2 * vg.sigmoid(w1 * x + b1) - c - x)
    assert off.max() < 1e-3, f"在 x = {x[off.argmax()]:.2f} 处，误差是 {off.max():.4f}"

# %% [markdown] en="c077ea66"
# 现在把两个这样的神经元接在一起。第二个收到的，是第一个所说的话的 w₂ 倍，它再乘以自己的 w₁，合起来是 w₂w₁ = 4。所以从里面看，一排恒等神经元就是一条权重为 4、z = 0 的链子：恰好站在刀刃上的那一点，在那里 |wσ′(z)| 是 4 · ¼ = 1。

# %%
even = neuron_chain([4.0] * 20, [-2.0] * 20, a0=0.5)
usual = random_chains(10_001, 20, np.random.default_rng(8))
found = vg.backprop(even.cost, wrt=even.b)
print(f"20 个神经元，w = 4 而 z = 0：∂C/∂b₂₀ : ∂C/∂b₁ = {found[even.b[-1]] / found[even.b[0]]:.1f}")
print(f"20 个神经元，随机抽取，居中的那条链子：{np.exp(np.median(usual.log_loss()[-1])):.0e}")

# %% tags=["hidden"]
assert math.isclose(found[even.b[-1]] / found[even.b[0]], 1, rel_tol=1e-12)
assert 1e17 < np.exp(np.median(usual.log_loss()[-1])) < 1e20
assert 0.001**2 / 96 < 1e-7

# %% [markdown] en="f28b9947"
# 在真正的网络里呢？像第 5 课那样，把一个隐藏层有三十个神经元的网络训练一小会儿，然后在这个隐藏层后面，接上三十层恒等神经元。

# %%
digits = vg.datasets.mnist_sample()
net = vg.nn.MLP([784, 30, 10], seed=0)


def cost(net, X, y):
    return vg.nn.losses.cross_entropy(net.logits(X), y)


vg.training.fit(net, cost, digits.train, epochs=5, lr=0.5, seed=0, progress=False)
for more in (0, 1, 30):
    deeper = with_identity_layers(net, 0.001, more)
    print(f"插入 {more:2} 层：没见过的数字认对 {vg.training.accuracy(deeper, *digits.validation):.1%}")

# %% tags=["hidden"]
rates = [vg.training.accuracy(with_identity_layers(net, 0.001, n), *digits.validation) for n in (0, 1, 30)]
assert rates[0] == rates[1] == rates[2]
said = [with_identity_layers(net, 0.001, n)(digits.validation[0]).data.argmax(axis=1) for n in (0, 1, 30)]
assert np.array_equal(said[0], said[1])
assert np.array_equal(said[0], said[2])
assert 0.8 < rates[0] < 0.9

# %% [markdown] en="c2821383"
# 完全一样，连每一幅图叫成哪个数字都一样。所以，有 31 个隐藏层、认数字又和浅网络一样好的网络，*确实存在*。深网络不行，不是因为它做不到，而是因为学习到不了那里：从随机的权重出发，代价想要什么，前面几层几乎听不见。
#
# ## 这一课带走什么
#
# * 路上每有一个神经元，∂C/∂b₁ 里就有一个因子 **wσ′(z)**。梯度消失说到底就是这个：许多平常的、小于 1 的数相乘。
# * 每过一个神经元都要付代价：|w| ≤ 1 时*至少*丢掉 4 倍，权重服从 N(0, 1) 时大约丢掉 10 倍。
# * 只有 |w| ≥ 4 而且 z 同时在 0 附近，因子才到得了 1；能做到这一点的 a，最多也不到它范围的一半。
# * 把一切原样传下去的网络是有的，它在刀刃上的一个点。所以不行的是学习，而不是深网络的本领。
#
# 这一课里每层只有一个神经元。要是每层有三十个，推一下，从一层到下一层就有三十条路可走，而各条路径送来的份额是要相加的（第 2 课）。加起来的和，补得上那些小因子吗？第 7 课来量一量。
