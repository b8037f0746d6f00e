# %% [markdown] minutes=20 en="2e82c2ab"
# # 2. 会记事的数
#
# 第 1 课里，我们亲手把五个斜率乘了起来，那是一种乐趣，但一遍就够了。一个网络有十万个权重，我们需要的是会替我们去乘的数。办法很小，小得可以写在这一页上：
#
# *每个值都记住自己的来源：由哪些值算出来，对每一个的局部导数又是多少。*
#
# 有了这份记忆，就可以从终点往起点传一条消息，边走边乘。我们用四十行写出这个引擎，用三种方式把它弄坏，再把它修好；最后会发现，本库真正的引擎也是这样造的。

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("02_tensor_and_op_nodes", lang="zh")

# %% [markdown] en="bb9ba726"
# ## 一个会记事的值
#
# 先有两种运算就够了：+ 和 ×。它们的局部导数你已经知道：对于和，推任何一个加数，都原样传下去；对于积，推一个因子，要乘上另一个因子再传下去。


# %%
class Value:
    """一个记得自己来源的数。"""

    def __init__(self, data, made_from=()):
        self.data = data
        self.made_from = made_from  # 来源：一对一对的，一个值，以及对它的局部导数
        self.grad = 0.0

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])


# %% [markdown] en="989dec79"
# 这就是所谓的**运算节点**（op node）：运算的结果，再加上一张说明它从何而来的字条。我们来算神经元里的那个和 z = wx + b，看看字条上写着什么。

# %%
w, x, b = Value(0.8), Value(0.7), Value(0.1)
wx = w * x
z = wx + b

print(f"z = {z.data:.2f}")
for name, value in (("z", z), ("wx", wx), ("w", w)):
    print(f"{name} 的来源：", [(f"{source.data:.2f}", slope) for source, slope in value.made_from])

# %% tags=["hidden"]
assert f"{z.data:.2f}" == "0.66"
assert [(source.data, slope) for source, slope in wx.made_from] == [(0.8, 0.7), (0.7, 0.8)]

# %% [markdown] en="55bf378e"
# z 的来源是 wx 和 b，斜率都是 1。wx 的来源是 w 和 x，斜率分别是 0.7 和 0.8。w 没有来源，是我们自己写下的。这样的值叫做**叶子**（leaf）。
#
# ## 往回传一条消息
#
# 现在用链式法则。在 z 处推一份，z 自己就动一份，所以从 z 处的消息 1 开始。谁收到消息，就把它记进自己的 `grad`，再乘上沿途的斜率，传给自己的每一个来源。


# %%
def send(value, message):
    value.grad += message
    for source, slope in value.made_from:
        send(source, message * slope)


send(z, 1.0)
print(f"∂z/∂w = {w.grad:.1f}，∂z/∂x = {x.grad:.1f}，∂z/∂b = {b.grad:.1f}")

# %% tags=["hidden"]
assert (w.grad, x.grad, b.grad) == (0.7, 0.8, 1.0)

# %% [markdown] en="302482fb"
# 四行代码，传了一次，三个导数全都有了。这就是往回走的妙处：要是一个一个地推权重，网络有多少个权重就得跑多少遍；而一条消息往回传，所有权重都能收到。
#
# ### 练习 2.1：教它 sigmoid
#
# 我们的引擎会 + 和 ×。要拼成一个神经元，还差一种运算。请写出 `sigmoid(v)`：它接受一个 Value，给出 Value σ(v)，字条上要写对它的来源。


# %% tags=["exercise"]
def sigmoid(v):
    """Value σ(v)，来源是 v。"""
    ...


# %% tags=["solution"]
def sigmoid(v):
    """Value σ(v)，来源是 v。"""
    a = 1 / (1 + math.exp(-v.data))
    return Value(a, [(v, a * (1 - a))])


# %% tags=["check"]
with check("2.1", hint="看看 __add__：一个新的 Value，和一个只有一对的列表。σ 的斜率是 a(1 − a)，是一个数。"):
    answered(sigmoid)
    for at in (-2.0, 0.3, 1.5):
        v = Value(at)
        a = sigmoid(v)
        assert isinstance(a, Value), f"sigmoid(Value({at})) 应当是一个 Value，而不是 {type(a).__name__}"
        assert math.isclose(a.data, 1 / (1 + math.exp(-at)), rel_tol=1e-12), f"σ({at}) 不等于 {a.data}"
        assert len(a.made_from) == 1, f"它的来源只有一个，却记了 {len(a.made_from)} 个"
        send(a * a * a, 1.0)
        tried = [1 / (1 + math.exp(-at - h)) ** 3 for h in (1e-5, -1e-5)]
        tried = (tried[0] - tried[1]) / 2e-5
        assert math.isclose(v.grad, tried, rel_tol=1e-6), (
            f"σ(v)³ 在 v = {at} 处：往回传得到 {v.grad:.6f}，试出来是 {tried:.6f}"
        )

# %% [markdown] en="63351acd"
# ## 菱形
#
# 到目前为止，每个值都只用了一次。一个值用上两次，事情才有意思：
#
# $$u = x + x \qquad v = x \cdot x \qquad y = u \cdot v$$
#
# 从 y 回到 x 的路先分岔、再会合，像一个菱形。取 x = 3，则 y = 6 · 9 = 54。又因为 y = 2x³，它的导数是 6x²，碰巧也是 54。我们的引擎怎么说？

# %%
x = Value(3.0)
u = x + x
v = x * x
y = u * v

send(y, 1.0)
print(f"y = {y.data:.0f}，∂y/∂x = {x.grad:.0f}")

# %% tags=["hidden"]
assert (y.data, x.grad, u.grad, v.grad) == (54, 54, 9, 6)

# %% [markdown] en="f970397b"
# 它说对了，原因只有两个字符：`send` 里的 `+=`。经过 u 来的消息是 9，两条边各来一次：9 + 9 = 18。经过 v 来的消息是 6，也是两条边，每条边的斜率是 3：18 + 18 = 36。而 18 + 36 = 54。
#
# 为什么要加？推一下 x，这一推会*同时*沿着所有的路往前走，每条路都把自己的那一份送到 y，各份加在一起。这是链式法则的另一半：**沿一条路径，斜率相乘；各条路径，乘积相加。**

# %%
t = vg.Tensor(3.0, "x")
s = (t + t).named("u")
q = (t * t).named("v")
show(vg.draw((s * q).named("y")), "一个菱形：x 通向 u 和 v，各有两条边，u 和 v 又都通向 y = 54")

# %% [markdown] en="884f8e31"
# ## 第一种坏法：把 += 写成 =
#
# 要是忘了那个加号呢？


# %%
def send_forgetful(value, message):
    value.grad = message  # 最后来的那条消息说了算
    for source, slope in value.made_from:
        send_forgetful(source, message * slope)


x = Value(3.0)
send_forgetful((x + x) * (x * x), 1.0)
print(f"∂y/∂x = {x.grad:.0f}")

# %% tags=["hidden"]
assert x.grad == 18

# %% [markdown] en="819dbe1f"
# 结果是 18：四条路径只剩下了一条。没有谁抱怨，也不报错；这个数错了，看上去却和别的数没什么两样。错误的梯度往往就是这副模样。
#
# ### 练习 2.2：什么时候看不出来？
#
# 健忘的引擎并不总是错。对下面每个式子，请说出它算的 ∂/∂x 是否仍然正确：`True` 或 `False`。想想有几条路径；取 x = 3，y = 5。

# %% tags=["exercise"]
comes_out_right = {
    "x * y + y": ...,
    "x + x": ...,
    "(x + y) * (y + y)": ...,
    "(x + y) * (x * y)": ...,
}

# %% tags=["solution"]
comes_out_right = {
    "x * y + y": True,  # x 只用了一次；y 用了两次，那是 y 的事
    "x + x": False,  # 两条路径
    "(x + y) * (y + y)": True,  # 从 x 出发只有一条路径
    "(x + y) * (x * y)": False,  # 两条路径，经过不同的因子
}

# %% tags=["check"]
with check("2.2", hint="数一数从结果回到 x 有几条路径。健忘的引擎只留下其中一条。"):
    answered(comes_out_right)
    for expression, guess in comes_out_right.items():
        results = []
        for sender in (send, send_forgetful):
            x, y = Value(3.0), Value(5.0)
            sender(eval(expression), 1.0)
            results.append(x.grad)
        assert guess == (results[0] == results[1]), f"{expression} 不是这样"
    assert len(comes_out_right) == 4, "一共有四个式子"

# %% [markdown] en="2024d9ff"
# ## 第二种坏法：消息太多
#
# `send` 对任何图都算得对，可是请看它的代价。把一个数一再加倍：y = x + x，再 y + y，如此下去。每加倍一次，路径的条数也加倍，而 `send` 每条都要走一遍。


# %%
def count_messages(value):
    return 1 + sum(count_messages(source) for source, _ in value.made_from)


def doubled(times):
    y = Value(1.0)
    for _ in range(times):
        y = y + y
    return y


doublings = list(range(17))
messages = [count_messages(doubled(n)) for n in doublings]
print(f"加倍 {doublings[-1]} 次：{messages[-1]:,} 条消息")

# %%
with plot("每加倍一次，消息的条数也加倍，而值的个数只多一个") as axes:
    axes.semilogy(doublings, messages, "o-", label="send 传的消息")
    axes.semilogy(doublings, [n + 1 for n in doublings], "s-", label="图中的值")
    axes.set(xlabel="加倍次数", ylabel="个数（对数刻度）")
    axes.legend()

# %% tags=["hidden"]
assert messages[16] == 131_071 == 2**17 - 1
assert 2**51 - 1 > 2e15

# %% [markdown] en="2b79aa49"
# 只有 17 个值，却传了 131,071 条消息。加倍 50 次的话，消息会超过 2e15 条，得等上好些年。
#
# 对策是：**等**。一个值要是会收到好几条消息，就先把它们全部加起来，再把总和一次传下去。反正不管来的是什么都要乘同一个斜率，σ′·m₁ + σ′·m₂ 就等于 σ′·(m₁ + m₂)。这样每个值只需轮到一次。轮到它的时候，它那里加起来的总和就是最终结果对它的导数，叫做它的**余切向量**（cotangent，与三角函数里的余切无关）。
#
# ## 第三种坏法：次序不对
#
# 可是一个值什么时候才算收齐了消息呢？先试最容易想到的次序：先是终点，再是它的来源，再是来源的来源，一层一层往回走。


# %%
def layer_by_layer(root):
    order = [root]
    for value in order:  # 一边走，列表一边变长
        for source, _ in value.made_from:
            if source not in order:
                order.append(source)
    return order


def sweep(root, order):
    """按 `order` 让每个值轮到一次，把它到那时为止收到的传下去。"""
    root.grad = 1.0
    for value in order(root):
        for source, slope in value.made_from:
            source.grad += value.grad * slope


x = Value(3.0)
a = x * x
y = a + a * a  # x² + x⁴
sweep(y, layer_by_layer)
print(f"扫描得到：∂y/∂x = {x.grad:.0f}")
print(f"正确答案：2x + 4x³ = {2 * 3 + 4 * 3**3}")

# %% tags=["hidden"]
assert x.grad == 6
assert 2 * 3 + 4 * 3**3 == 114

# %% [markdown] en="108933d7"
# 得到 6，而不是 114。怎么回事？y 的来源是 a 和 a·a，所以 a 排在第二，它把当时手里有的、从 y 来的 1 传了下去，就算完事了。接着轮到 a·a，它给 a 送去一条消息 18。消息到了，也记下了，却再也没有传下去：a 已经说过话了。
#
# 规矩很简单：**凡是用它算出来的值都说过话了，才轮到它说。**
#
# ### 练习 2.3：正确的次序
#
# 请写出 `right_order(root)`：列出 `root` 背后所有的值，也就是它的来源、来源的来源……连同 `root` 自己；每个恰好一次，并且每个都排在自己的来源*之前*。这样 `sweep(y, right_order)` 就会给出正确的答案。
#
# 办法不止一种。一种是看一个值是否还在等谁的消息。另一种是把次序倒过来排：一个值的来源都进了列表，它自己才进；最后把列表倒着读。


# %% tags=["exercise"]
def right_order(root):
    """root 背后所有的值，每个一次，每个都排在自己的来源之前。"""
    ...


# %% tags=["solution"]
def right_order(root):
    """root 背后所有的值，每个一次，每个都排在自己的来源之前。"""
    done, finished = [], set()

    def visit(value):
        if value not in finished:
            finished.add(value)
            for source, _ in value.made_from:
                visit(source)
            done.append(value)  # 它的来源这时都已在列表里了

    visit(root)
    return done[::-1]


# %% tags=["check"]
with check("2.3", hint="visit(value)：先访问它的每个来源，再把它加进列表；访问过的跳过；最后倒过来。"):
    answered(right_order)
    rng = np.random.default_rng(23)
    for _ in range(20):
        made = [Value(k) for k in rng.uniform(0.5, 1.5, size=2)]
        for _ in range(12):
            one, other = (made[k] for k in rng.integers(len(made), size=2))
            made.append(one * other if rng.random() < 0.5 else one + other)
        order = list(right_order(made[-1]))
        assert order[:1] == made[-1:], "列表的第一个应当是 root 自己"
        assert len(set(order)) == len(order), "有一个值在列表里出现了两次"
        for place, value in enumerate(order):
            for source, _ in value.made_from:
                assert source in order, "漏了一个值，而它是别的值的来源"
                assert order.index(source) > place, "有一个值排在了用它算出来的值前面"
    assert len(right_order(doubled(40))) == 41, "加倍 40 次，应当有 41 个值"

# %% [markdown] en="9b84a9c6"
# ## 真正的引擎
#
# 刚才让我们的扫描出错的那个例子，现在用本库自己的值再算一遍。这种值叫做 **Tensor**（张量），因为它装的是任意形状的数组，单个的数也算。前面见过的每样东西，在它这里都有位置。

# %%
x = vg.Tensor(3.0, name="x")
a = (x * x).named("a")
y = (a + a * a).named("y")

print("y =", y)
print("y 的运算：", y.node.op.name, "；来源：", [t.name or t.node.op.name for t in y.node.inputs])
print("x 的节点：", x.node)

y.backward()
print("∂y/∂x =", x.grad)

# %% tags=["hidden"]
assert x.grad == 114
assert [t.birth for t in (x, a, y)] == sorted([t.birth for t in (x, a, y)])
assert {t.name: g for t, g in vg.backprop(y).items() if t.name}["a"] == 19

# %% [markdown] en="f3918c57"
# 这回对了。Tensor 的**节点**（node）就是它的字条：`node.op` 是运算，`node.inputs` 是它的来源。叶子没有节点。
#
# 那么，本库怎样找到正确的次序呢？它的想法比你的还短：一个值只能用已经存在的值算出来。所以每个 Tensor 一出生就领一个号，号码一个比一个大；扫描时，总是轮到**收到了消息的值当中最年轻的那一个**。凡是用它算出来的都比它更年轻，早已说过话了。

# %%
for tensor, cotangent in vg.backprop(y).items():
    print(f"{tensor.birth} 号：{tensor.name or 'a·a'} 的余切向量是 {cotangent}")

show(vg.draw(y), "x 通向 a，a 经三条边通向 y；a 的余切向量是三条边之和 19，x 的余切向量是 114")

# %% [markdown] en="47276594"
# `vg.backprop` 把整个扫描摊开来看：每个 Tensor 的余切向量，从最年轻的排起。a 的余切向量是 19：其中 1 直接来自 y，18 从 a·a 绕道而来。
#
# 与我们的四十行相比，只有一处不同。我们的值在字条上写的斜率是一个数；换成数组，斜率就是一个矩阵，往往极大，而且几乎全是零。所以节点里存的不是斜率，而是一条*规则*，它把消息乘上斜率：消息进，消息出。这样的规则叫做 **vjp**（vector–Jacobian product，向量–雅可比积）。除此之外，扫描还是那个扫描。

# %%
w = vg.Tensor([[0.5, -1.0], [2.0, 0.3]], name="w")  # 一次四个权重
x_data = np.array([0.7, 0.1])  # 普通的数组是常量：没有人要问它的导数
loss = np.sum(vg.sigmoid(w @ x_data) ** 2)
loss.backward()
print(w.grad)
print(vg.check_gradients(lambda w: np.sum(vg.sigmoid(w @ x_data) ** 2), w))

# %% [markdown] en="ace5c53e"
# 四个导数一次全有了，而且 NumPy 自己的函数可以直接用在 Tensor 上。最后几行就是第 1 课那位诚实的裁判，它还给出自己的误差界；第 4 课专门讲它。
#
# ## 两件让人意外的事
#
# **`+=` 有记性。** 叶子会把*所有*的消息都加起来，第二次调用 `backward` 得到的也不例外。这是有意的：这样就可以把几份数据的梯度加在一起。但想要从头算起，就得说一声。

# %%
p = vg.Tensor(3.0, name="p")
for _ in range(2):
    (p * p).backward()
    print("再 backward 一次之后：", p.grad)

p.grad = None
(p * p).backward()
print("p.grad = None 之后：", p.grad)

# %% tags=["hidden"]
assert p.grad == 6

# %% [markdown] en="6fa524a9"
# **深度。** `send` 会调用自己，而 Python 允许的层层调用大约只有一千层，运算的链子一长，这样的引擎就垮了。本库靠出生的号码和一个列表来安排次序，所以多长都不怕。

# %%
deep = vg.Tensor(1.0, name="起点")
long = deep
for _ in range(20_000):
    long = long * 1.0001
long.backward()
print(f"20,000 个 1.0001 相乘：∂/∂起点 = {deep.grad:.3f}，而 1.0001²⁰⁰⁰⁰ = {1.0001**20_000:.3f}")

# %% [markdown] en="e339c6f4"
# ## 这一课带走什么
#
# * 一个值，只要记住自己的来源和局部导数，就够了；剩下的不过是往回传消息。
# * 沿一条路径相乘，各条路径相加：所以写的是 `+=`。
# * 每个值只说一次话，而且要等用它算出来的值全都说过。到那时，它手里的就是自己的**余切向量**。
# * Tensor 就是这样的值，只是里面装着数组；规则（**vjp**）代替了斜率；`.node` 是记忆，`.grad` 是消息的总和。
# * 错误的梯度不会报错，所以必须检验。
#
# 画出来的图，你已经见过几幅了。下一课就来学怎样读它们。
