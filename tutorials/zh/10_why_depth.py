# %% [markdown] minutes=20 en="e8c074de"
# # 10. 为什么要深
#
# 一连四课，我们都在为深层网络的梯度而战，并且赢了。可是第 9 课末尾留下一个疑问：只有一个隐藏层的网络，认数字一点也不差。那么，深度到底有什么*用*？
#
# 要回答它，我们先把学习放在一边，去看一种更老的、也是一层一层搭起来的东西：由逻辑门组成的电路。在那里，可以数，也可以证明。然后我们亲手搭一个深的网络，一个权重一个权重地设，看着它工作。直到最后才让它自己学，那时会发现：答案*存在*是一回事，把它*找到*是另一回事。
#
# 途中有三道练习。

# %%
import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.drawing import Gate
from tinygrad_vg.lab import logic
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.training import accuracy, fit
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("10_why_depth", lang="zh")

# %% [markdown] en="e3b8d154"
# ## 两级就什么都能算
#
# 一个**门**（gate）收进一些比特，也就是 0 和 1，给出一个比特。AND（与）在输入全是 1 时给出 1，OR（或）在至少有一个输入是 1 时给出 1。比特在进门时可以顺便取反，不另外算钱：图里画成一个小圆圈。门后面再接门，就成了**电路**（circuit）；穿过它的最长的路上有几个门，它的**深度**就是几。
#
# 只用两级，先是一些 AND，后面一个 OR，能算出哪些函数？全都能，而且办法很短：写出函数的真值表，对每个值为 1 的行，用一个 AND 认出这一行；OR 则说有没有哪个 AND 认出来了。下面是三个比特的多数表决。

# %%
majority = [0, 0, 0, 1, 0, 1, 1, 1]  # 依次对应 000、001、010、011……：x₁ 是第一位
vote = logic.two_level(majority, title="三个比特的多数表决")
show(vote.draw({"x1": 1, "x2": 0, "x3": 1}), "四个三输入的 AND 和一个 OR；输入 1、0、1 时，有一个 AND 给出 1")

every_table = [[row >> k & 1 for k in range(8)] for row in range(256)]
right = [np.array_equal(logic.two_level(table).truth_table()[:, 0], table) for table in every_table]
print(f"三个比特的函数，两级电路算对 {sum(right)} 个，共 {len(right)} 个")

# %% tags=["hidden"]
assert sum(right) == len(right) == 2**8 == 256
assert vote.depth == 2
assert vote(x1=1, x2=0, x3=1) == {"y": 1}

# %% [markdown] en="63e34472"
# 三个比特的 256 个函数，两级全都行。所以要问深度的，不是*能不能*算，而是*要花多少*。
#
# ## 两级要花大价钱的函数
#
# 若干比特的**奇偶**（parity）：其中 1 的个数是奇数，就是 1，否则是 0。任何一个比特变了，不管是哪一个，奇偶都跟着变。

# %%
show(
    logic.shallow_parity(4).draw(),
    "四个比特的奇偶，两级：八个四输入的 AND，一个八输入的 OR",
)
for n in (4, 8, 10, 12):
    print(f"{n:2} 个比特：{logic.shallow_parity(n).kinds['AND']:5,} 个 AND")

# %% tags=["hidden"]
assert [logic.shallow_parity(n).kinds["AND"] for n in (4, 8, 10, 12)] == [8, 128, 512, 2048]
x1, x2, x3 = logic.bits_of(np.arange(8), 3)[::-1]
assert list(x1 & x2 | x1 & x3 | x2 & x3) == majority

# %% [markdown] en="c411c680"
# 四个比特要 8 个 AND，八个比特 128 个，十二个比特 2,048 个：n 个比特就是 2ⁿ⁻¹ 个。不过，这只是按上面的办法做的，那办法也许很笨。多数表决就可以省：用三个*两*输入的 AND 就行，因为 x₁ 和 x₂ 都是 1 的话，x₃ 是什么都无所谓。一个 AND 少看一个输入，就能一次顶表里的两行。
#
# 奇偶也能这样省吗？
#
# ### 练习 10.1：少看一个
#
# 有人提议，在四个比特的奇偶电路里，用“x₁ 是 1”“x₂ 是 0”“x₃ 是 1”三者的 AND，不看 x₄。请找出两个输入，每个写成四个比特的元组 (x₁, x₂, x₃, x₄)，使这个 AND 都给出 1：一个有偶数个 1，另一个有奇数个 1。

# %% tags=["exercise"]
even_input = ...
odd_input = ...

# %% tags=["solution"]
even_input = (1, 0, 1, 0)
odd_input = (1, 0, 1, 1)

# %% tags=["check"]
with check("10.1", hint="x₁、x₂、x₃ 由这个 AND 定了。还剩什么可选？"):
    answered(even_input, odd_input)
    for bits, rest, word in ((even_input, 0, "偶数"), (odd_input, 1, "奇数")):
        assert len(bits) == 4, f"{bits} 不是四个比特"
        assert set(bits) <= {0, 1}, f"{bits} 里有不是比特的东西"
        assert tuple(bits[:3]) == (1, 0, 1), f"对 {tuple(bits)}，这个 AND 给出 0"
        assert sum(bits) % 2 == rest, f"{tuple(bits)} 里 1 的个数不是{word}"

# %% [markdown] en="2bfeb2e4"
# 这样的 AND 不能用。它给出 1，OR 就给出 1，而对你那两个输入之一，这是错的。少看的是哪一个、少看几个，都一样：凡是没有看的，就可以变，奇偶也就跟着变。
#
# 所以，每个 AND 都得看*全部* n 个比特，于是它只在表里的一行上是 1。而奇偶在 2ⁿ 行的一半上是 1，因此要 2ⁿ⁻¹ 个 AND，任何办法都不能再少。
#
# （那么反过来，先 OR 后 AND 呢？那就是把所有的值都取反的同一张图；而把一个奇偶取反，等于把它的一个输入取反。所以要的一样多。）

# %%
odd = logic.shallow_parity(4).truth_table()[:, 0]
left_out = np.sum(np.argwhere(logic.implicants(odd)) == 2, axis=1)
print(f"四个比特的 AND 共 {3**4} 种，能用在奇偶里的有 {len(left_out)} 种，它们少看的比特有 {left_out.max()} 个")
left_out = np.sum(np.argwhere(logic.implicants(majority)) == 2, axis=1)
print(f"三个比特的多数表决，能用的有 {len(left_out)} 种，共 {3**3} 种，最多少看 {left_out.max()} 个")

# %% [markdown] en="6a78b53e"
# ## 一棵树
#
# 现在用上深度。两个比特的 **XOR**（异或）就是它们的奇偶。而许多比特的奇偶，是奇偶的奇偶：先两个两个地问比特，再两个两个地问答案，就像淘汰赛。

# %%
bits = {"x1": 1, "x2": 0, "x3": 1, "x4": 1, "x5": 0, "x6": 0, "x7": 1, "x8": 1}
show(
    logic.deep_parity(8).draw(bits),
    "七个 XOR 的树：四个两两地问比特，两个问它们的答案，一个说最后一句话",
)

# %% [markdown] en="4e601bc6"
# ### 练习 10.2：种一棵树
#
# 请写 `parity_gates(names)`：给出一串 XOR 门，每个有两个输入，写作 `Gate("some name", "XOR", (one, other))`，每个门都排在它所用到的门之后，最后一个给出以 names 为名的所有输入的奇偶。n 个输入应当有 n − 1 个门，深度要尽可能小：八个输入是 3，九个输入是 4。


# %% tags=["exercise"]
def parity_gates(names):
    """一棵树的门，求以 names 为名的输入的奇偶。"""
    ...


# %% tags=["solution"]
def parity_gates(names):
    """一棵树的门，求以 names 为名的输入的奇偶。"""
    gates, waiting = [], list(names)
    while len(waiting) > 1:
        pair = waiting.pop(0), waiting.pop(0)  # 等得最久的两个
        gates.append(Gate(f"g{len(gates)}", "XOR", pair))
        waiting.append(gates[-1].name)
    return gates


# %% tags=["check"]
with check("10.2", hint="用一个列表存放正在等候的信号。从前面取两个，把它们的 XOR 放到后面。"):
    answered(parity_gates)
    for n in (2, 3, 4, 5, 8, 9):
        names = tuple([f"in{k}" for k in range(n)])
        gates = list(parity_gates(names))
        assert len(gates) == n - 1, f"{n} 个输入应当有 {n - 1} 个门，而不是 {len(gates)} 个"
        for gate in gates:
            assert isinstance(gate, Gate), f"{gate!r} 不是 Gate"
            assert gate.kind == "XOR", f"{gate} 不是 XOR"
            assert len(gate.inputs) == 2, f"{gate} 应当有两个输入"
        tree = logic.Circuit(names, tuple(gates), {"y": gates[-1].name})
        ones = [row.bit_count() for row in range(2**n)]
        wrong = int(np.sum(tree.truth_table()[:, 0] != np.array(ones) % 2))
        assert wrong == 0, f"{n} 个输入时，错了 {wrong} 行，共 {2**n} 行"
        assert tree.depth == (n - 1).bit_length(), f"{n} 个输入时，深度是 {tree.depth}，其实可以更小"

# %%
sizes = list(range(2, 13))
with plot("每多一个比特，两级电路的门数翻一倍，而 XOR 的树只多一个门") as axes:
    axes.semilogy(sizes, [logic.shallow_parity(n).size for n in sizes], "o-", label="两级，AND 和 OR")
    axes.semilogy(sizes, [logic.deep_parity(n, xor=False).size for n in sizes], "s-", label="树，AND 和 OR")
    axes.semilogy(sizes, [logic.deep_parity(n).size for n in sizes], "^-", label="树，XOR")
    axes.set(xlabel="比特数", ylabel="门数（对数刻度）")
    axes.legend()

# %% tags=["hidden"]
assert [logic.deep_parity(n).size for n in (4, 8, 12)] == [3, 7, 11]
assert logic.deep_parity(12, xor=False).size == 33
assert logic.shallow_parity(12).size == 2049

# %% [markdown] en="7054cef5"
# 十二个比特：两级要 2,049 个门；深度为 4 的树，11 个 XOR 就够。你也许会说，XOR 这种门本来就更能干。不错；那就像中间那条曲线那样，把每个 XOR 用两个 AND 和一个 OR 搭起来，整棵树是 33 个门。每多一个比特，这边多三个门，那边翻一倍。
#
# 深度给电路带来的好处就在这里：**已经弄清楚的，可以接着用。** 树把 x₁ 和 x₂ 的奇偶求出一次就够了；而在两级电路里，每个 AND 都得自己把所有的比特看一遍。
#
# ## 从门到神经元
#
# 一个神经元算的是 σ(wx + b)。权重很大时，它说的几乎不是 0 就是 1，所以它可以当门用：
#
# * a、b 的 OR：σ(10a + 10b − 5)；
# * a、b 的 AND：σ(10a + 10b − 15)。

# %%
pairs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
either = vg.sigmoid(10 * pairs[:, 0] + 10 * pairs[:, 1] - 5)
both = vg.sigmoid(10 * pairs[:, 0] + 10 * pairs[:, 1] - 15)
for (a, b), one, other in zip(pairs, either, both, strict=True):
    print(f"{a} {b}：  OR {one:.3f}   AND {other:.3f}")

# %% tags=["hidden"]
assert f"{either[0]:.3f} {both[0]:.3f} {either[3]:.3f}" == "0.007 0.000 1.000"

# %% [markdown] en="8694699d"
# ### 练习 10.3：手工做 XOR
#
# 单独一个神经元当不了 XOR（见第 5 课），三个就行：两个在隐藏层，一个在输出端。请找出权重和偏置，使
#
# $$a = \sigma(\,\sigma(x\,w_1 + b_1)\,w_2 + b_2\,)$$
#
# 对 x = (0, 0)、(0, 1)、(1, 0)、(1, 1) 这四个输入，与 XOR 相差都不到 0.05。不要训练，要想：XOR 的意思是“有一个是，但不都是”。

# %% tags=["exercise"]
xor_w1 = ...  # 形状 (2, 2)：每个隐藏的神经元一列
xor_b1 = ...  # 形状 (2,)
xor_w2 = ...  # 形状 (2, 1)
xor_b2 = ...  # 形状 (1,)

# %% tags=["solution"]
xor_w1 = [[10, 10], [10, 10]]
xor_b1 = [-5, -15]  # 一个 OR，一个 AND
xor_w2 = [[10], [-10]]  # 是 OR，但不是 AND
xor_b2 = [-5]

# %% tags=["check"]
with check(
    "10.3",
    hint="让第一个隐藏的神经元当 OR，第二个当 AND。输出端加上一个，减去另一个。",
):
    answered(xor_w1, xor_b1, xor_w2, xor_b2)
    shapes = [np.shape(part) for part in (xor_w1, xor_b1, xor_w2, xor_b2)]
    assert shapes == [(2, 2), (2,), (2, 1), (1,)], f"形状应当是 (2, 2)、(2,)、(2, 1)、(1,)，而不是 {shapes}"
    said = vg.sigmoid(vg.sigmoid(pairs @ np.array(xor_w1) + np.array(xor_b1)) @ np.array(xor_w2) + np.array(xor_b2))
    for (a, b), answer in zip(pairs, said[:, 0], strict=True):
        assert abs(answer - (a ^ b)) < 0.05, f"输入 {a} 和 {b}，你的网络说 {answer:.3f}"

# %% [markdown] en="d91d6d32"
# ## 手工做一个深的网络
#
# 三个神经元是一个 XOR，一棵 XOR 的树是奇偶。那我们就来给八个比特设好一个网络的权重：先是并排的四个 XOR，占两层神经元，然后两个，然后一个。各层的大小是 8、8、4、4、2、2、1。`np.kron(np.eye(k), block)` 把同一块小矩阵沿对角线放 k 份，其余都是零。


# %%
def tree_of_xors(bits):
    """一个网络的 w1、b1、w2、b2……，求 2、4、8……个比特的奇偶。"""
    arrays, k = [], bits // 2
    while k:
        arrays += [np.kron(np.eye(k), [[10.0, 10.0], [10.0, 10.0]]), np.tile([-5.0, -15.0], k)]
        arrays += [np.kron(np.eye(k), [[10.0], [-10.0]]), np.full(k, -5.0)]
        k //= 2
    return arrays


def all_rows(bits):
    X = np.stack(logic.bits_of(np.arange(2**bits), bits), axis=1).astype(float)
    return X, X.sum(axis=1).astype(int) % 2


X, y = all_rows(8)
deep = MLP([8, 8, 4, 4, 2, 2, 1], seed=0).bind(tree_of_xors(8))
print(f"算对 {accuracy(deep, X, y) * len(X):.0f} 个输入，共 {len(X)} 个；", end="")
print(f"误差最大 {np.max(np.abs(deep(X)[:, 0] - y)):.4f}")

# %% tags=["hidden"]
assert accuracy(deep, X, y) == 1
assert f"{np.max(np.abs(deep(X)[:, 0] - y)):.4f}" == "0.0076"
assert vg.sigmoid(np.array(10 * 0.01 - 5)) < 0.008
assert sum(deep.sizes[1:]) == 21

# %% [markdown] en="d3dfa706"
# 256 个输入全对，只用了 21 个神经元，误差最大不过 0.0076。误差并没有一级一级地积累起来：神经元收到的不是 0 而是 0.01，说出来的还是差不多 0。饱和的好处就在这里。
#
# ## 可是神经元会数数
#
# 现在该说句老实话了。对 AND 和 OR 的电路来说，两级的奇偶贵得吓人。对只有一个隐藏层的网络也是这样吗？不是。神经元把输入加起来，所以它看得见*有几个* 1，而这对门来说要费很大的力气。让第 k 个隐藏的神经元说“至少有 k 个 1”，再让输出端把它们正负相间地加起来：+ − + − …

# %%
k = np.arange(1, 9)
w1, b1 = np.full((8, 8), 10.0), 5.0 - 10 * k
w2, b2 = np.where(k % 2 == 1, 10.0, -10.0)[:, None], np.array([-5.0])
counting = MLP([8, 8, 1], seed=0).bind([w1, b1, w2, b2])
print(f"一个隐藏层：算对 {accuracy(counting, X, y) * len(X):.0f} 个输入，共 {len(X)} 个")

# %% tags=["hidden"]
assert accuracy(counting, X, y) == 1
assert sum(counting.sizes[1:]) == 9

# %% [markdown] en="1048a809"
# 只用 9 个神经元，而不是 21 个，而且是浅的。对门成立的，对神经元不一定成立：对它们来说，奇偶不能当作要深的理由。
#
# ## 折叠
#
# 下面这个可以。拿一条纸，对折：从 0 到 1 的数叠在一起，0 叠着 1，中间变成了最远的一端。两个 ReLU 就能做到：
#
# $$\text{fold}(x) = 2\,\text{ReLU}(x) - 4\,\text{ReLU}(x - \tfrac12)$$
#
# 把折过的再折，如此下去。每多一层，只有*两个*神经元，就多折一次。


# %%
def folds(times):
    """有 `times` 个隐藏层、每层两个 ReLU 的网络，输出是 x 折叠这么多次的结果。"""
    first, between, last = np.ones((1, 2)), np.array([[2.0, 2.0], [-4.0, -4.0]]), np.array([[2.0], [-4.0]])
    shift = np.array([0.0, -0.5])
    arrays = [first, shift] + [between, shift] * (times - 1) + [last, np.zeros(1)]
    return MLP([1, *[2] * times, 1], "relu", output="identity", seed=0).bind(arrays)


xs = np.linspace(0, 1, 2**12 + 1)[:, None]
with plot("折一次，一顶帐篷；折两次，两顶；折五次，十六顶", panels=3, width=8.4, height=2.6) as panels:
    for axes, times in zip(panels, (1, 2, 5), strict=True):
        axes.plot(xs, folds(times)(xs))
        axes.set(title=f"{2 * times} 个神经元，深度 {times}", xlabel="x", ylabel="输出" if times == 1 else "")

for times in (1, 2, 5, 10):
    slopes = np.diff(folds(times)(xs)[:, 0])
    print(f"{times:2} 层，{2 * times:2} 个神经元：{1 + np.count_nonzero(np.diff(slopes)):4} 段直线")

# %% tags=["hidden"]
for times in range(1, 11):
    slopes = np.diff(folds(times)(xs)[:, 0])
    assert 1 + np.count_nonzero(np.diff(slopes)) == 2**times
assert 2**10 == 1024 == 1023 + 1

# %% [markdown] en="99b95e2a"
# 每多一层，直线段的数目就翻一倍：十层共 20 个神经元，折出 1,024 段。
#
# 只有一个隐藏层的网络呢？它的输出是 x 的一些 ReLU 之和，每个 ReLU 是只有*一个*尖点的折线。所以 m 个神经元最多有 m 个尖点、m + 1 段。要 1,024 段，就得 1,023 个神经元。原因和电路里一样：浅的网络每个尖点都得单独去做，深的网络是在已经折过的上面再折。已经做好的，可以接着用。
#
# ## 有，和找到
#
# 这些权重全是我们亲手设的。学习能找到它们吗？就拿求八个比特奇偶的深层网络来看，先照常从随机的权重开始。


# %%
def cross_entropy(net, X, y):
    return losses.cross_entropy(net.logits(X), y)


def learn(net, X, y, epochs, lr, batch_size=16):
    """训练，并说出效果如何。"""
    before = accuracy(net, X, y)
    history = fit(net, cross_entropy, (X, y), epochs=epochs, batch_size=batch_size, lr=lr, seed=0, progress=False)
    print(f"训练前算对 {before:4.0%}，训练后 {accuracy(net, X, y):4.0%}；代价 {history.cost[-1]:.3f}")
    return before, accuracy(net, X, y), history.cost[-1]


random = learn(MLP([8, 8, 4, 4, 2, 2, 1], seed=0), X, y, epochs=100, lr=0.5)

# %% tags=["hidden"]
assert 0.4 < random[1] < 0.6
assert 0.68 < random[2] < 0.71
assert f"{np.log(2):.2f}" == "0.69"

# %% [markdown] en="c0190b3d"
# 抛硬币也不过如此；代价也正是抛硬币的代价：ln 2，约 0.69。完美的权重是存在的，我们亲眼见过。梯度下降却没有走到那里。
#
# 如果一开始就在它旁边呢？我们在亲手设好的每个权重和偏置上，加一个标准差为 1 的随机数。

# %%
rng = np.random.default_rng(1)
near = MLP([8, 8, 4, 4, 2, 2, 1], seed=0)
for parameter, array in zip(near.parameters(), tree_of_xors(8), strict=True):
    parameter.update(array + rng.normal(size=array.shape))
disturbed = learn(near, X, y, epochs=100, lr=0.5)

# %% tags=["hidden"]
assert f"{disturbed[0]:.2f}" == "0.80"
assert disturbed[1] == 1
six_seeds = {1: (1.0, 1.0, 1.0, 1.0, 1.0, 1.0), 2: (0.61, 0.57, 0.61, 0.69, 0.51, 0.50)}  # 训练后，按扰动的大小

# %% [markdown] en="ce00dd4d"
# 这一扰动弄坏了五分之一的答案，而学习把它们全都找了回来。（换六个种子，次次如此；随机数再大一倍，就一次也不成。）所以那个山谷是有的，只是很窄。站在外面，没有什么指向它。
#
# 那个完美的网络自己，听力又如何呢？我们一层一层地看看它的梯度。

# %%
perfect = MLP([8, 8, 4, 4, 2, 2, 1], seed=0)
for parameter, array in zip(perfect.parameters(), tree_of_xors(8), strict=True):
    parameter.update(array)
cost = cross_entropy(perfect, X, y)
show(
    vg.drawing.draw_network(perfect, cost, scale="log", shown=8, inputs=False),
    "手工做的网络，每个神经元里的短条是 ∂C/∂b：从输出端往第一层，越来越短",
)

# %% tags=["hidden"]
by_layer = [float(np.linalg.norm(g)) for g in (vg.backprop(cost)[layer.b] for layer in perfect.layers)]
assert by_layer == sorted(by_layer)
assert 1e4 < by_layer[-2] / by_layer[0] < 1e5

# %% [markdown] en="9633eb78"
# 看各层下面的范数（也就是长度），从右往左读。从最后一个隐藏层到第一个，它们缩小到不到万分之一。每个神经元都是饱和的，好的门就该如此，于是每个 σ′ 都很小。*让网络可靠的，也正是让它失聪的*：贯穿这个系列的老毛病，出在一个完美的网络身上。
#
# 所以第 9 课的工夫没有白费。我们换一个小一点的任务，四个比特的奇偶，用一个有三个隐藏层、每层八个神经元的网络：一次照书上的做法，一次用 ReLU 和与它配套的权重。

# %%
X4, y4 = all_rows(4)
as_in_the_book = learn(MLP([4, 8, 8, 8, 1], seed=0), X4, y4, epochs=500, lr=1.0, batch_size=4)
cured = learn(MLP([4, 8, 8, 8, 1], "relu", "he", seed=0), X4, y4, epochs=500, lr=0.1, batch_size=4)

# %% tags=["hidden"]
assert as_in_the_book[1] < 0.7
assert cured[1] == 1
ten_seeds = {"sigmoid": 0, "relu": 10}  # 十个网络里，最后对全部输入都算对的有几个

# %% [markdown] en="41012bfd"
# 用 sigmoid，等于抛硬币；用了那些对策，答案全对。（各试十个种子：前者一个也没成，后者十个全成。）
#
# ## 那么手写数字呢？
#
# 对真实的数据，没有人数得出要多少个门，只能去试。这个系列所跟随的那一章书就试过：50,000 个数字过 30 遍，每层 30 个 sigmoid 神经元，除了交叉熵，什么对策也没有用。下面是书上的数，再下面是后来用十四个种子量到的。
#
# | 隐藏层数 | 1 | 2 | 3 | 4 |
# | --- | --- | --- | --- | --- |
# | 书上（一次），认对 % | 96.48 | 96.90 | 96.57 | 96.53 |
# | 14 个种子的平均，% | 96.40 | 96.80 | 96.52 | 96.21 |
# | 它们的标准差 | 0.24 | 0.18 | 0.13 | 0.40 |

# %% tags=["hidden"]
book = {"one run": (96.48, 96.90, 96.57, 96.53), "images": 50_000}
measured = {"mean": (96.40, 96.80, 96.52, 96.21), "sd": (0.24, 0.18, 0.13, 0.40)}  # 验证图像，14 个种子

# %% [markdown] en="7acdbaba"
# 第二层有帮助，不多，但是可靠。第三层、第四层又把结果拉了下来。到了这里，你已经能说出为什么这不是对深度的判决：浅的网络能做的，更深的网络*也能*（多出来的一层可以几乎原样地把收到的传下去，第 6 课的恒等神经元就是这样），只是训练没有把它们带到那里。深度是一份机会；要接住它，先得让梯度传过去。
#
# ## 这一课带走什么
#
# * 两级就能算**任何**函数，问题在于要花多少：奇偶用两级要 2ⁿ⁻¹ 个 AND，用深度为 ⌈log₂ n⌉ 的树只要 n − 1 个 XOR。
# * 深度之所以省，是因为**已经弄清楚的可以接着用**：奇偶的奇偶，折叠的折叠。
# * 这要看用的是什么积木。神经元会数数，所以求奇偶只要一个有 n 个神经元的隐藏层；而要 1,024 段直线，一个隐藏层得有 1,023 个 ReLU，十层只要 20 个。
# * 权重**存在**，不等于梯度下降**找得到**：由饱和的神经元组成的深层网络，是完美的门，却是糟糕的学生。
#
# 在这一切里，梯度只告诉我们哪边是下坡，从不说这个坡有多长。沿着坡走下去，斜率自己会怎样变呢？
