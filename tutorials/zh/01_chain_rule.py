# %% [markdown] minutes=15 en="26c6790e"
# # 1. 链式法则：一次推一小步
#
# 神经网络学习时，对每一个权重问的都是同一个问题：*你要是再大一点点，结果会怎样？* 大网络每秒要问上百万次，但问来问去就是这一句。这一课我们只拿一个神经元，慢慢地把它问清楚。
#
# 回答的办法有两种，彼此毫不相干。第一种是试：把权重轻轻一推，看结果动多少。第二种是乘：跟着这一推，一站一站走过去。等两种办法给出的数有十位都相同，你就永远记住了两件事：链式法则说的是什么；以及，怎样知道自己有没有算对。
#
# 你需要知道什么是导数，会求 1/u 和 eˣ 的导数，会一点 Python。途中有三道练习，每道下面都有一个检验单元格，做对之前它会一直说“还没有完成”或“还不对”。

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("01_chain_rule", lang="zh")

# %% [markdown] en="6357b0d4"
# ## 一个神经元
#
# 一个神经元有一个输入 x、一个**权重** w（weight）和一个**偏置** b（bias）。它分两步计算：先求一个和，再用一个函数把任何数都压到 0 与 1 之间，这个函数就是 **sigmoid**，记作 σ。
#
# $$z = w x + b \qquad\qquad a = \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# a 叫做**激活值**（activation），就是这个神经元要对下一个神经元说的话。


# %%
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def neuron(w, x, b):
    return sigmoid(w * x + b)


x, w, b = 0.7, 0.8, 0.1
print(f"z = {w * x + b:.4f}")
print(f"a = {neuron(w, x, b):.4f}")

# %% tags=["hidden"]
assert f"{w * x + b:.2f}" == "0.66"
assert f"{neuron(w, x, b):.4f}" == "0.6593"

# %% [markdown] en="a1359792"
# 取这组数时，z 是 0.66，神经元说出的是 0.6593。现在来问那个问题。
#
# ## 推一下权重
#
# 让 w 增大千分之一，看看什么跟着动了。

# %%
nudge = 0.001

dz = ((w + nudge) * x + b) - (w * x + b)
da = neuron(w + nudge, x, b) - neuron(w, x, b)

print(f"w 动了 {nudge}")
print(f"z 动了 {dz:.7f}，是推动量的 {dz / nudge:.4f} 倍")
print(f"a 动了 {da:.7f}，是推动量的 {da / nudge:.4f} 倍")

# %% tags=["hidden"]
assert f"{dz / nudge:.4f}" == "0.7000"
assert f"{da / nudge:.4f}" == "0.1572"

# %% [markdown] en="d83cba35"
# 推多大是我们随意定的，本身没有意义。有意义的是**比值**：激活值动的幅度，是 w 的 0.1572 倍。这个比值就是把 a 看作 w 的函数时的斜率；推得越来越轻，它的极限就是导数 ∂a/∂w。（圆头的 ∂ 表示还有别的变量，它们这时都站着不动。）
#
# 如果这一课只记一句话，就请记住导数的这种读法：*∂a/∂w 就是：推进去一份，出来几份。*
#
# ## 跟着这一推走
#
# 这一推不是从 w 直接跳到 a 的。它先到 z，到了 z 的那一份再传给 a。我们把这两站分开来看。
#
# **从 w 到 z。** z = wx + b 对 w 来说是一条直线，斜率是 x。推进去一份，出来 x = 0.7 份。
#
# **从 z 到 a。** sigmoid 在这里有多陡？试一下就知道。

# %%
z = w * x + b
slope_w_to_z = x
slope_z_to_a = (sigmoid(z + nudge) - sigmoid(z)) / nudge

print(f"w → z：{slope_w_to_z:.4f}")
print(f"z → a：{slope_z_to_a:.4f}")
print(f"两者之积：{slope_w_to_z * slope_z_to_a:.4f}")

# %% tags=["hidden"]
assert f"{slope_z_to_a:.4f}" == "0.2246"
assert f"{slope_w_to_z * slope_z_to_a:.4f}" == "0.1572"

# %% [markdown] en="e4f8cf8a"
# 到了 z 的每一份，在 a 处出来 0.2246 份。而 0.7 乘以 0.2246 等于 0.1572，正是我们量到的那个数。
#
# 本该如此。想象三个咬合的齿轮：第一个转一圈，第二个转 0.7 圈；第二个转一圈，第三个转 0.2246 圈。那么第一个转一圈，第三个就转 0.7 × 0.2246 圈。第二个齿轮只管把传到自己这里的转动往下传，*并不在乎它是从哪里来的*。所以前后相接的斜率要相乘：
#
# $$\frac{\partial a}{\partial w} = \frac{\partial z}{\partial w} \cdot \frac{\partial a}{\partial z} = x \cdot \sigma'(z)$$
#
# 这就是**链式法则**（chain rule）。单看某一站、不问前后所得到的斜率，叫做这一站的**局部斜率**或**局部导数**（local derivative）。

# %% [markdown] en="77a9f2ba"
# ### 练习 1.1：另外两个
#
# 谁也没说只能推权重。推一下偏置 b，在 a 处出来几份？推一下输入 x 呢？
#
# 先别用上面的代码去算。想一想第一站 z = wx + b：推一下 b，它会怎样传？推一下 x 呢？第二站和刚才完全一样。

# %% tags=["exercise"]
da_db = ...
da_dx = ...

# %% tags=["solution"]
da_db = 1 * 0.2246  # b 动多少，z 就动多少
da_dx = 0.8 * 0.2246  # 对 x 来说 wx + b 也是一条直线，斜率是 w

# %% tags=["check"]
with check("1.1", hint="b 动一份，wx + b 增大多少？至于 x，它是要乘以 w 的。"):
    answered(da_db, da_dx)
    tried_b = (neuron(w, x, b + 1e-6) - neuron(w, x, b)) / 1e-6
    tried_x = (neuron(w, x + 1e-6, b) - neuron(w, x, b)) / 1e-6
    assert math.isclose(da_db, tried_b, rel_tol=1e-3), "我们推了一下 b，在 a 处出来的不是这个数"
    assert math.isclose(da_dx, tried_x, rel_tol=1e-3), "b 对了；我们又推了一下 x，出来的不是这个数"

# %% [markdown] en="471e22f2"
# 这个神经元画出来是这样的。图由本库画成，它背后是什么，下一课会讲；现在只看往回走的箭头。每条箭头上写着它的局部导数；从 a 出发，沿途各条箭头的乘积就是方框里的 *grad*。

# %%
w_, b_ = vg.Tensor(w, "w"), vg.Tensor(b, "b")
z_ = (w_ * x + b_).named("z")
a_ = vg.sigmoid(z_).named("a")
show(vg.draw(a_), "一个神经元的计算图：w 和 b 通向 z，z 通向 a；往回的箭头上写着 0.7、1 和 σ′(z) = 0.2246")

# %% [markdown] en="87e727f4"
# ## sigmoid 的斜率
#
# 还有一个局部斜率是我们试出来的：σ 的斜率。它其实有公式，值得花几行推一遍。把 σ(z) 写成 1/u，其中 u = 1 + e⁻ᶻ。这又是两站，从 z 到 u，再从 u 到 σ：
#
# * 从 z 到 u：e⁻ᶻ 的斜率是 −e⁻ᶻ；
# * 从 u 到 σ：1/u 的斜率是 −1/u²。
#
# 相乘，两个负号抵消：
#
# $$\sigma'(z) = \frac{e^{-z}}{(1 + e^{-z})^2} = \frac{1}{1 + e^{-z}} \cdot \frac{e^{-z}}{1 + e^{-z}} = \sigma(z)\,(1 - \sigma(z))$$
#
# 所以，一个神经元只要知道自己说出的 a，就知道自己的斜率：a(1 − a)。

# %%
zs = np.linspace(-6, 6, 241)
with plot(
    "左右两幅图。左边，σ 像一个 S，从 0 升到 1；右边，它的斜率 σ′ 像一座小山，顶点在 z = 0，高四分之一",
    panels=2,
    width=8.4,
    height=3.2,
) as (left, right):
    left.plot(zs, sigmoid(zs))
    left.plot(z, sigmoid(z), "o", color="C1")
    left.annotate("我们的神经元", (z, sigmoid(z)), (10, -12), textcoords="offset points")
    left.set(title="σ(z)", xlabel="z", ylim=(-0.05, 1.05))
    right.plot(zs, sigmoid(zs) * (1 - sigmoid(zs)))
    right.axhline(0.25, color="C1", linewidth=1, linestyle="--")
    right.annotate("¼", (-6, 0.25), (0, 5), textcoords="offset points")
    right.set(title="它的斜率 σ′(z)", xlabel="z", ylim=(-0.015, 0.3))

# %% tags=["hidden"]
slopes_at = {k: sigmoid(k) * (1 - sigmoid(k)) for k in (0, 2, 4)}
assert slopes_at[0] == 0.25 == max(sigmoid(zs) * (1 - sigmoid(zs)))
assert f"{slopes_at[2]:.3f}" == "0.105"
assert f"{slopes_at[4]:.3f}" == "0.018"

# %% [markdown] en="0dcc6c3a"
# 右边这座小山请多看一会儿，整个系列讲的就是它。在山顶 z = 0 处，它的高度是**四分之一**，再高没有了。到 z = ±2 是 0.105，到 z = ±4 只剩 0.018：在那里神经元主意已定，说的不是快到 0 就是快到 1，再推它，它几乎不理会。这叫做**饱和**（saturation）。
#
# 不管传来多少，经过一个 sigmoid 神经元，最多剩下四分之一。
#
# ### 练习 1.2：知道自己斜率的神经元
#
# 写一个函数，给出神经元在任意一点的三个斜率 ∂a/∂w、∂a/∂x 和 ∂a/∂b。这回不许推，要用局部斜率相乘。


# %% tags=["exercise"]
def slopes(w, x, b):
    """a = σ(wx + b) 的 ∂a/∂w、∂a/∂x 和 ∂a/∂b。"""
    ...


# %% tags=["solution"]
def slopes(w, x, b):
    """a = σ(wx + b) 的 ∂a/∂w、∂a/∂x 和 ∂a/∂b。"""
    a = sigmoid(w * x + b)
    da_dz = a * (1 - a)
    return x * da_dz, w * da_dz, da_dz


# %% tags=["check"]
with check("1.2", hint="先算出 a；第二站的斜率 a(1 − a) 是三者共有的。"):
    answered(slopes)
    rng = np.random.default_rng(12)
    h = 1e-5
    for w_try, x_try, b_try in rng.uniform(-2, 2, size=(20, 3)):
        by_rule = slopes(w_try, x_try, b_try)
        by_trying = (
            (neuron(w_try + h, x_try, b_try) - neuron(w_try - h, x_try, b_try)) / (2 * h),
            (neuron(w_try, x_try + h, b_try) - neuron(w_try, x_try - h, b_try)) / (2 * h),
            (neuron(w_try, x_try, b_try + h) - neuron(w_try, x_try, b_try - h)) / (2 * h),
        )
        for name, rule, tried in zip("wxb", by_rule, by_trying, strict=True):
            place = f"w = {w_try:.2f}，x = {x_try:.2f}，b = {b_try:.2f}"
            assert math.isclose(rule, tried, rel_tol=1e-6), (
                f"在 {place} 处，∂a/∂{name} 你算得 {rule:.6f}，试出来却是 {tried:.6f}"
            )

# %% [markdown] en="4a10d021"
# ## 一位诚实的裁判
#
# 刚才的检验是怎么知道对错的？它做的正是我们一开始做的事：试。它不懂导数，也不懂链式法则，只会调用 `neuron`。正因为如此，它才是个好裁判。自己把公式再看一遍，同样的错误会再上一次当；而试，绝不会犯公式会犯的那些错。
#
# 不过它也不是完美的，我们得知道它有多准。试的办法有两种：只往一边推，或者两边各推一次。
#
# $$\frac{f(w + h) - f(w)}{h} \qquad\text{或}\qquad \frac{f(w + h) - f(w - h)}{2h}$$
#
# 前者叫**前向差分**（forward difference），后者叫**中心差分**（central difference），合称**有限差分**（finite differences）：“有限”是说 h 虽小，却终究不是零。让 h 越来越小，看看它们各自离真正的斜率有多远。


# %%
def forward(f, at, h):
    return (f(at + h) - f(at)) / h


def central(f, at, h):
    return (f(at + h) - f(at - h)) / (2 * h)


def as_w(w):
    return neuron(w, x, b)


true = x * sigmoid(z) * (1 - sigmoid(z))
errors = {}
print("    h   前向差分  中心差分")
for k in range(1, 13):
    h = 10.0**-k
    errors[k] = abs(forward(as_w, w, h) / true - 1), abs(central(as_w, w, h) / true - 1)
    print(f"1e-{k:<2}   {errors[k][0]:8.0e}  {errors[k][1]:8.0e}")

# %% tags=["hidden"]
assert all(8 < errors[k][0] / errors[k + 1][0] < 12 for k in (1, 2, 3, 4, 5))
assert all(80 < errors[k][1] / errors[k + 1][1] < 120 for k in (1, 2, 3))
assert abs(central(as_w, w, 1e-5) / true - 1) < 1e-10
assert abs(central(as_w, w, 1e-12) / true - 1) > 1e-6

# %% [markdown] en="73019112"
# 从上往下看每一列。h 每缩小到十分之一，前向差分的误差缩小到十分之一，中心差分的误差却缩小到*百分之一*：往右推时多算的，往左推时少算回来，大部分抵消了。在 h = 1e-5 处，中心差分与公式有十位相同。两种毫不相干的算法有十位相同，所以两者都可以相信。
#
# 再往下，两列反而都变*差*了。计算机只保存 a 的 16 位数字。当 h 是 1e-12 时，f(w + h) 与 f(w − h) 的数字几乎全都相同，相减之后剩下的大半是舍入误差。所以推得要轻，但不能太轻。（到底多轻才好，怎么推都不行的时候又怎么办，是第 4 课的故事。）
#
# ## 两个神经元和一个代价
#
# 站还可以往后加。让第一个神经元把话传给第二个，再用一个**代价**（cost）来衡量第二个的回答离想要的答案 y 有多远：
#
# $$z_1 = w_1 x + b_1 \quad a_1 = \sigma(z_1) \qquad z_2 = w_2 a_1 + b_2 \quad a_2 = \sigma(z_2) \qquad C = \tfrac12 (a_2 - y)^2$$
#
# 学习，就是让 C 变小。于是对 w₁ 的提问成了：推它一份，在 C 处出来几份？


# %%
def cost(w1, b1, w2, b2, x, y):
    a1 = sigmoid(w1 * x + b1)
    a2 = sigmoid(w2 * a1 + b2)
    return (a2 - y) ** 2 / 2


print(f"C = {cost(w1=0.8, b1=0.1, w2=-0.6, b2=-0.2, x=0.7, y=1.0):.4f}")

# %% [markdown] en="e93ffdc4"
# ### 练习 1.3：五站路
#
# 把 ∂C/∂w₁ 写成局部斜率的乘积。路线是 w₁ → z₁ → a₁ → z₂ → a₂ → C，一共五个斜率。一条箭头一条箭头地走，在每一站只问一句：推动到了这里，会怎样传下去？


# %% tags=["exercise"]
def dC_dw1(w1, b1, w2, b2, x, y):
    """在 w₁ 处推进去一份，代价那里出来几份。"""
    ...


# %% tags=["solution"]
def dC_dw1(w1, b1, w2, b2, x, y):
    """在 w₁ 处推进去一份，代价那里出来几份。"""
    a1 = sigmoid(w1 * x + b1)
    a2 = sigmoid(w2 * a1 + b2)
    return x * (a1 * (1 - a1)) * w2 * (a2 * (1 - a2)) * (a2 - y)


# %% tags=["check"]
with check("1.3", hint="z₂ = w₂a₁ + b₂ 对 a₁ 来说是一条直线，斜率是 w₂；½(a₂ − y)² 的斜率是 a₂ − y。"):
    answered(dC_dw1)
    rng = np.random.default_rng(13)
    h = 1e-4
    for w1, b1, w2, b2, x_try, y in rng.uniform(0.5, 2, size=(20, 6)) * rng.choice([-1, 1], size=(20, 6)):
        up, down = cost(w1 + h, b1, w2, b2, x_try, y), cost(w1 - h, b1, w2, b2, x_try, y)
        tried, rule = (up - down) / (2 * h), dC_dw1(w1, b1, w2, b2, x_try, y)
        assert math.isclose(rule, tried, rel_tol=1e-5), f"你的乘积是 {rule:.6g}，试出来却是 {tried:.6g}"

# %% [markdown] en="a4fed689"
# ## 还剩下多少
#
# 下面是某一点上的这五个因子，从链子最远一头的 w₁ 一直到 C。x 与 σ′(z₁) 属于同一个神经元，所以本库把它们写成一项；w₂ 与 σ′(z₂) 也是如此。最后一列请从下往上读：那是从 C 传回到这里还剩下的。

# %%
w1, b1 = vg.Tensor(0.8, "w₁"), vg.Tensor(0.1, "b₁")
w2, b2 = vg.Tensor(-0.6, "w₂"), vg.Tensor(-0.2, "b₂")
z1 = (w1 * 0.7 + b1).named("z₁")
a1 = vg.sigmoid(z1).named("a₁")
z2 = (w2 * a1 + b2).named("z₂")
a2 = vg.sigmoid(z2).named("a₂")
C = ((a2 - 1.0) ** 2 / 2).named("C")

print(vg.explain(C, wrt=w1))

# %%
show(
    vg.draw(C, wrt=w1),
    "两个神经元和代价的计算图；从 C 回到 w₁ 的路，每穿过一个神经元就细一截",
)

# %% tags=["hidden"]
gradients = vg.backprop(C)
assert f"{gradients[a2]:.4f}" == "-0.6446"
assert f"{gradients[z2]:.4f}" == f"{gradients[b2]:.4f}" == "-0.1477"
assert f"{gradients[z1]:.4f}" == f"{gradients[b1]:.4f}" == "0.0199"
assert 7 < -gradients[b2] / gradients[b1] < 8

# %% [markdown] en="74c524a3"
# 在输出端，代价拉动的力度是 −0.6446。穿过第二个神经元，到它的偏置 b₂ 那里，剩下 −0.1477。再穿过第一个，到 b₁ 那里，只有 0.0199：多隔一个神经元，就只剩七分之一左右。中间那些数单看都平平常常，怪不得哪一个；只不过多乘了一个因子，因子里有一个 σ′，而 σ′ 从不超过四分之一。
#
# 现在请想象一个有十层的网络。第 6 课就来看它。
#
# ## 这一课带走什么
#
# * 导数说的是：**推进去一份，出来几份**。
# * **链式法则**：前后相接的各站，斜率相乘，因为每一站都不在乎传来的东西从哪里来。
# * σ′(z) = a(1 − a)，最大不过四分之一；神经元**饱和**时几乎为零。
# * **有限差分**靠试，不靠公式。公式会犯的错它不会犯，所以是一位诚实的裁判。
#
# 五个因子亲手乘一遍，是一种乐趣，但一遍就够了。下一课，我们让数自己记住从哪里来，好让它们替我们去乘。
