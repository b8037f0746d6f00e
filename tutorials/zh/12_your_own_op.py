# %% [markdown] minutes=20 en="387cacb7"
# # 12. 你自己的运算
#
# 第 11 课的末尾还剩一样东西，我们只能选择相信：规则表。这套教程里的每个数、每个梯度、每张图、每个黑塞矩阵，都是用表里的一行一行拼出来的。那些行是人写的。现在轮到你来写一行。
#
# 我们来造一个新的激活函数，从纸上的公式开始，一直做到一个靠它学习的深网络。途中要用七种方式把它弄坏。你会看到，弄坏的那些*个个*都照样能学，也会看到，要把它们一网打尽需要些什么。

# %%
import numpy as np
from hypothesis import settings

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("12_your_own_op", lang="zh")

# %% [markdown] en="001f5f67"
# ## 我们想要什么
#
# 这套教程里的麻烦，全是一个数惹出来的：σ′ 从不超过四分之一。那就找一个函数，它也像 σ 那样把任何数压进一个范围，中间的斜率却是 1。下面就是一个，我们叫它 ψ（读作“普西”）。
#
# $$\psi(z) = \frac{z}{\sqrt{1 + z^2}}$$
#
# z 很小时，根号差不多是 1，ψ(z) 差不多就是 z。z 很大时，根号差不多是 |z|，ψ(z) 差不多就是 1 或 −1。（早就有人在网络里用过它，名字叫 *inverse square root unit*，意思是“平方根倒数单元”。）


# %%
def psi(z):
    return z / np.sqrt(1 + z * z)


zs = np.linspace(-6, 6, 241)
with plot(
    "两幅图。左图：σ 从 0 升到 1，ψ 从 −1 升到 1。右图：ψ 的斜率是一座高 1 的山，σ 的斜率是一座高四分之一的矮丘",
    panels=2,
    width=8.4,
    height=3.2,
) as (left, right):
    left.plot(zs, psi(zs), label="ψ")
    left.plot(zs, vg.sigmoid(zs), "--", label="σ")
    left.set(xlabel="z", title="两个压缩的函数")
    left.legend()
    right.plot(zs, [vg.grad(psi)(z) for z in zs], label="ψ′")
    right.plot(zs, [vg.grad(vg.sigmoid)(z) for z in zs], "--", label="σ′")
    right.set(xlabel="z", title="它们的斜率")
    right.legend()

# %% tags=["hidden"]
assert vg.grad(psi)(0.0) == 1
assert max(float(vg.grad(psi)(z)) for z in zs) == 1

# %% [markdown] en="ca23eeb6"
# 等一下：`vg.grad(psi)` 居然*能用*。我们并没有写规则，本库却给出了斜率。因为 ψ 是由乘积、和、平方根、商拼成的，而这些都在表里，所以它的斜率也拼得出来。里面是这个样子。

# %%
z = vg.Tensor(0.66, name="z")
show(
    vg.draw(psi(z).named("a")),
    "用表里的运算拼成的 ψ：z 经两条边通向平方根，经第三条边通向商",
)

# %% tags=["hidden"]
in_pieces = vg.backprop(psi(z).named("a"))
assert f"{in_pieces[z]:.4f}" == "0.5814"

# %% [markdown] en="5421f5b9"
# 三条路径，一次除法，一个根号：全都正确，可是光看这张图，谁也猜不出它说的是一个 0 到 1 之间的斜率。把 ψ 做成一个独立的运算，有三个理由：
#
# * **一个节点代替四个。**节点少了，占的内存就少，每次扫描要做的事也少。
# * **有自己的名字。**在图里，在 `vg.explain` 里，写的就是 ψ，它的斜率有什么特别，一眼就能看出来。
# * **斜率怎么算，由你决定。**这一点马上就要用到。
#
# ## 规则
#
# 先在纸上求导数。记 u = 1 + z²，于是 ψ = z · u^(−½)。用乘积的求导法则，对 u 再用链式法则：
#
# $$\psi'(z) = u^{-1/2} - z \cdot \tfrac12 u^{-3/2} \cdot 2z = u^{-3/2}\,(u - z^2) = (1 + z^2)^{-3/2}$$
#
# 在 z = 0 处它等于 1，正合我们的心意。现在把它写进表里。`vg.primitive` 要的是函数，以及每个自变量的一条规则。规则就是 **vjp**：它拿到从后面传来的余切向量 g、输出 `out`，还有各个自变量，回答该把什么传下去：*g 乘局部导数*。


# %%
def psi_vjp(g, out, z):
    return g * (1 + z * z) ** -1.5


squash = vg.primitive(psi, (psi_vjp,), name="squash", symbol="ψ", local="(1 + {0}²)^(−3/2)")

z = vg.Tensor(0.66, name="z")
a = squash(z).named("a")
a.backward()
print(f"ψ(0.66) = {a.item():.4f}，斜率 {z.grad:.4f}")

# %%
show(vg.draw(a), "作为独立运算的 ψ：z 通向 a，往回只有一条边，上面写着 (1 + z²)^(−3/2) = 0.5814")

# %% tags=["hidden"]
assert f"{a.item():.4f}" == "0.5508"
assert f"{float(z.grad):.4f}" == "0.5814"

# %% [markdown] en="b106f3fd"
# 一个节点，一条往回的边，边上写明了自己是什么。`symbol` 和 `local` 就是干这个用的：`{0}` 代表第一个自变量。斜率和先前一样，还是 0.5814。
#
# ## 两条规则，纸上一样对
#
# 再看看规则的自变量：它还拿到了输出。能不能借此省掉那个乘方呢？因为 ψ² = z²/(1 + z²)，所以 1 − ψ² = 1/(1 + z²)，于是
#
# $$\psi'(z) = (1 - \psi^2)^{3/2}$$
#
# 这是同一个公式，就像 σ 的 a(1 − a) 一样。现在拿一个很大的 z 来考考两者。在 z = 1e9 处，真正的斜率是 1e-27，再多印几位也看不出差别。

# %%
for z in (1.0, 1e3, 1e6, 1e9):
    by_input = (1 + z * z) ** -1.5
    by_output = (1 - psi(z) ** 2) ** 1.5
    print(f"z = {z:.0e}：用输入算 {by_input:.6e}，用输出算 {by_output:.6e}")

# %% tags=["hidden"]
assert (1 - psi(1e9) ** 2) ** 1.5 == 0
assert abs((1 + 1e9 * 1e9) ** -1.5 / 1e-27 - 1) < 1e-14
off = [abs((1 - psi(z) ** 2) ** 1.5 / (1 + z * z) ** -1.5 - 1) for z in (1e6, 1.0)]
assert off[0] > 1e-5
assert off[1] < 1e-14

# %% [markdown] en="db23bf3e"
# 在 z = 1 处，两者一致。到了 1e6，第二种写法已经丢掉了大部分有效数字；到了 1e9，它干脆说 0。输出离 1 太近了，计算机的 16 位数字装不下这点差别，1 − ψ² 算出来的基本上只是**舍入**误差。很小的斜率并不等于没有斜率：在这套教程里，我们看到的梯度正是这样的数相乘得来的。所以我们留下用输入来算的那条规则。（本库的 σ 也是出于同样的原因，用了这样的规则。）
#
# ## 它对吗？
#
# 别相信纸上的推导，更别相信我。请第 4 课那位公正的裁判来：

# %%
points = np.array([[1.0, -2.0, 0.3], [0.7, 1.5, -0.4]])
print(vg.check_gradients(squash, points))

# %% [markdown] en="466e0c83"
# 与有限差分一致。这就够了吗？梯度检验把导数和*它自己的*函数作比较，就在此处，就在这几个点上，只用一个余切向量。ψ 本来应当是什么，它无从知道。而且一个运算光有正确的斜率还不够，它还得有别的美德：不改动别人交给它的东西，回答的形状要对，余切向量极小时要对，余切向量为零时也要对，还要能再求一次导。
#
# 这一切 `vg.check_op` 都会去试。它要几个样本，还要一个**参照**：同一个值，用*另一种*办法算出来。三角函数里就有一个：ψ(z) = sin(arctan z)。


# %%
def reference(z):
    return np.sin(np.arctan(z))


samples = [0.5, points, np.array([[0.2, -3.0, 0.9]])]
print(vg.check_op(squash, samples=samples, reference=reference))

# %% [markdown] en="3adbedb1"
# 十五条性质，每一条都在三个样本上试过。你不妨把它们当作“什么是运算”的说明书来读。举两个例子：*vjp(0) = 0* 说的是，什么都没有进去，就什么都不会出来；*used twice*（用两次）说的是，ψ(x) + 4·ψ(x) 得到的是五倍的梯度。
#
# ## 把它弄坏
#
# 一个检验说“ok”，在你亲眼看它说过“不”之前，等于没说什么。所以这里有六个坏掉的运算，每一个错误都是人们真会犯的。


# %%
last = {}


def psi_and_note(z):
    last["z"] = z  # 留着，过会儿好用
    return psi(z)


def no_tiny_ones(g, out, z):
    sent = psi_vjp(g, out, z)
    return np.where(np.abs(sent) < 1e-7, 0.0, sent)


faulty = {
    "符号错了": (psi, lambda g, out, z: -psi_vjp(g, out, z)),
    "忘了 g": (psi, lambda g, out, z: (1 + z * z) ** -1.5),
    "记着上一个 z": (psi_and_note, lambda g, out, z: g * (1 + last["z"] ** 2) ** -1.5),
    "丢掉小数目": (psi, no_tiny_ones),
    "把 z 当常量": (psi, lambda g, out, z: psi_vjp(g, out, vg.stop_gradient(z))),
    "换了函数": (lambda z: z / np.sqrt(2 + z * z), lambda g, out, z: g * 2 * (2 + z * z) ** -1.5),
}

# %% [markdown] en="3a04398b"
# 最后一个的导数是对的，可惜函数错了：该写 1 的地方写成了 2。
#
# 运行下一个单元格之前，先猜一猜：用上其中哪几个，网络就*学不动*了？我们取两个隐藏层，每层 30 个神经元，1,000 张数字，走 30 步。


# %%
X, y = vg.datasets.mnist_sample().train


def learn(activation, steps=30):
    net = vg.nn.MLP([784, 30, 30, 10], activation=activation, seed=0)
    optimizer = vg.optim.SGD(net.parameters(), lr=0.1)
    costs = []
    for _ in range(steps):
        C = vg.nn.losses.cross_entropy(net.logits(X), y)
        C.backward()
        optimizer.step()
        costs.append(C.item())
    return costs


broken = {name: vg.primitive(f, (vjp,), name="squash") for name, (f, vjp) in faulty.items()}
curves = {name: learn(op) for name, op in {"正确": squash, **broken}.items()}
for name, costs in curves.items():
    print(f"{name:23} C 从 {costs[0]:.2f} 到 {costs[-1]:.2f}")

# %%
with plot(
    "30 步里的七条代价曲线，全都在下降；正确的运算和两个坏的叠在了一起",
    width=6.8,
    height=3.8,
) as axes:
    for (name, costs), style in zip(curves.items(), ("-", "--", "-.", ":", "--", ":", "-"), strict=True):
        axes.plot(costs, style, linewidth=4 if name == "正确" else 1.6, alpha=0.4 if name == "正确" else 1, label=name)
    axes.set(xlabel="步", ylabel="代价 C", title="个个都在学")
    axes.legend()

# %% tags=["hidden"]
ends = {name: costs[-1] for name, costs in curves.items()}
assert all(min(costs) == costs[-1] < costs[0] / 2 for costs in curves.values())
assert f"{ends['正确']:.2f}" == "2.74"
assert sum(abs(ends[name] - ends["正确"]) < 1e-3 for name in broken) == 2
assert f"{ends['符号错了']:.2f}" == "2.88"
shares = np.bincount(y) / len(y)
known = -np.sum(shares * np.log(shares) + (1 - shares) * np.log(1 - shares))
assert f"{ends['忘了 g']:.2f}" == "3.25" == f"{known:.2f}"

# %% [markdown] en="1c63934f"
# 七条代价曲线全都在下降。连*符号错了*的那个，也从 9.51 降到了 2.88，而正确的运算到了 2.74：输出层用的是 σ，不管下面各层在做什么，它都学得好好的。忘了 g 的那个到了 3.25；这个代价属于这样的网络：它只知道每个数字出现得有多频繁，别的一概不知（第 7 课）。还有两个坏的，和正确的那个根本分不出来。
#
# 以后要是有人说“代价在下降，所以我的梯度一定是对的”，请想起这张图。现在请裁判上场。

# %%
print(f"{'':23} check_gradients   check_op")
verdicts = {}
for name, op in broken.items():
    by_gradients = vg.check_gradients(op, points, raises=False)
    by_op = vg.check_op(op, samples=samples, reference=reference, raises=False)
    verdicts[name] = bool(by_gradients), [failure.property for failure in by_op.failures]
    print(f"{name:23} {'没看出来' if by_gradients else '抓住了':17} {verdicts[name][1][0]}")

# %% tags=["hidden"]
assert f"{curves['符号错了'][0]:.2f}" == "9.51"
assert [name for name, (passed, _) in verdicts.items() if not passed] == ["符号错了", "忘了 g"]
assert all(found for _, found in verdicts.values())
assert verdicts["记着上一个 z"][1] == ["second order"]
assert verdicts["把 z 当常量"][1] == ["second order"]
assert verdicts["换了函数"][1] == ["forward"]
assert verdicts["丢掉小数目"][1][0].startswith("vjp(2")

# %% [markdown] en="96e0b677"
# 六个里面，梯度检验看出了两个。这不怪它：另外四个在这几个点上的一阶导数*确实*是对的。`check_op` 把六个全抓住了，每一个都栽在专门查那种美德的性质上：
#
# * 丢掉小数目的那个，栽在 *vjp(2ᵏg) = 2ᵏ·vjp(g)*：消息是 2⁻¹⁶⁰ 时，规则要和消息是 1 时一样对。在深网络的第一层，消息*就是*这么小；
# * 把 z 当常量的那个，栽在 *second order*（二阶）。这就是第 11 课：作为数是对的，再求一次导就错了；
# * 记着上一个 z 的那个，也栽在 *second order*，因为它记着的只是一个数组。运算只用一次的时候，它是对的。有两层的网络却要用两次，于是第一层拿到的是第二层的斜率；
# * 换了函数的那个，栽在 *forward*（正向），多亏我们给了参照。
#
# ## 第七个
#
# 还有一个。它的作者心想：“过了 4，反正已经饱和了。”

# %%
cut_off = vg.primitive(psi, (lambda g, out, z: g * np.where(np.abs(z) < 4, (1 + z * z) ** -1.5, 0.0),), name="squash")
print("check_gradients:", bool(vg.check_gradients(cut_off, points)))
print("check_op:", bool(vg.check_op(cut_off, samples=samples, reference=reference)))

# %% tags=["hidden"]
assert max(np.max(np.abs(s)) for s in samples) == 3
assert abs(learn(cut_off)[-1] - ends["正确"]) < 1e-3

# %% [markdown] en="a117126e"
# 谁都没有看出来。这也难怪：我们的样本里，最大的数是 3。**检验有多好，全看样本有多好**，而挑样本的和写规则的，是同一个脑袋。
#
# 那就让别人来挑。第 4 课里认识的 Hypothesis，会在我们允许的范围里抽取各种形状、各种大小的样本；一旦有哪个不通过，它就去找仍然不通过的最小的那个。`vg.op_test` 用它造出一个运算的测试；写在测试文件里，只要一行。

# %%
wide = vg.strategies.arrays(vg.strategies.shapes(max_dims=2), domain=(-8, 8))
calmly = settings(max_examples=60, deadline=None, derandomize=True, database=None)

test_squash = vg.op_test(squash, samples=wide, reference=reference, settings=calmly)
test_squash()
print("squash：通过")

test_cut_off = vg.op_test(cut_off, samples=wide, reference=reference, settings=calmly)
try:
    test_cut_off()
except AssertionError as failure:
    found = str(failure)
    print("cut_off：", found)

# %% tags=["hidden"]
assert "in squash(4.0)" in found

# %% [markdown] en="dbcb331a"
# 正确的运算通过了。第七个被抓住了，请看最后一行：在所有的数组、所有的数里面，Hypothesis 交到我们手上的是 `squash(4.0)`，单单一个数，正是作者划线的那个地方。
#
# ## 我的样本够好吗？
#
# 这个问题也可以反过来问。`vg.mutants(op)` 会把你的运算复制许多份，每份种下一个错误，一共二十五种左右：符号反了，忘了求和，结果转置了，绕道 float32 走了一趟，等等。加上 `mutants=True`，`check_op` 就把这些**变异体**一个一个地试过去，报告哪些会被你的样本放过。

# %%
for name, chosen in (("单独一个数", [1.0]), ("我们的三个样本", samples)):
    report = vg.check_op(squash, samples=chosen, reference=reference, mutants=True)
    print(f"{name}：看出了 {report.killed} 个变异体，闲着的：{', '.join(report.idle) or '没有'}")

# %% tags=["hidden"]
assert len(report.idle) == 1
assert "mean for sum" in report.idle[0]
alone = vg.check_op(squash, samples=[1.0], reference=reference, mutants=True)
assert len(alone.idle) == 6
assert alone.killed + 6 == report.killed + 1 == len(vg.mutants(squash)) == 25

# %% [markdown] en="419f7f0d"
# 要是一个变异体在这些样本上毫无影响，就说它是**闲着的**（idle）。只用一个数时，闲着的有六个：把单单一个数翻转过来，或者转置一下，还是原来那个数。换上我们的样本，只剩下一个 *mean for sum*（该求和却求了平均），而它是无害的：一个运算要是对每个数各算各的，本来就没有什么要加起来。
#
# 所以，样本里应当有一个的两个轴长度*不同*，还应当有一个带着长度为 1 的轴。
#
# ## 让它干活
#
# 四个隐藏层，和第 7 课一样。在那里，刚开始时，sigmoid 网络的第一层比最后一层学得慢一百倍左右。换成 ψ 呢？

# %%
speeds = {}
for name, activation in (("σ", "sigmoid"), ("ψ", squash)):
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], activation=activation, seed=0)
    vg.nn.losses.cross_entropy(net.logits(X), y).backward()
    speeds[name] = [float(np.linalg.norm(layer.b.grad)) for layer in net.layers[:4]]
    print(f"{name}：第 1 到第 4 层的 ‖δ‖：", *(f"{v:.4f}" for v in speeds[name]))

# %%
digits = vg.datasets.mnist_sample()


def entropy(net, X, y):
    return vg.nn.losses.cross_entropy(net.logits(X), y)


accuracy = {}
for name, activation in (("σ", "sigmoid"), ("ψ", squash)):
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], activation=activation, seed=0)
    history = vg.training.fit(net, entropy, digits.train, epochs=5, lr=0.1, validation=digits.validation, seed=0)
    accuracy[name] = history.accuracy
    print(f"{name}：5 轮之后认对 {history.accuracy[-1]:.0%}")

# %%
with plot(
    "两幅图。左图：四个隐藏层的学习速度，对数刻度；越靠近第一层越慢，σ 降得很陡，ψ 降得平缓。"
    "右图：五轮里 σ 一直停在十个对一个，ψ 往上升",
    panels=2,
    width=8.4,
    height=3.2,
) as (left, right):
    for name, marker in (("ψ", "o-"), ("σ", "s--")):
        left.semilogy(range(1, 5), speeds[name], marker, label=name)
        right.plot(range(1, 6), accuracy[name], marker, label=name)
    left.set(xlabel="隐藏层", xticks=range(1, 5), title="开始时的 ‖δ‖")
    right.set(xlabel="轮", ylabel="1,000 张新数字里认对的比例", ylim=(0, 1), title="学习")
    left.legend()
    right.legend()

# %% tags=["hidden"]
times = {name: values[3] / values[0] for name, values in speeds.items()}
assert abs(times["σ"] - 110) < 10
assert 6 < times["ψ"] < 7
assert accuracy["σ"][-1] < 0.15
assert 0.65 < accuracy["ψ"][-1] < 0.85
for seed in (1, 2):
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], activation=squash, seed=seed)
    entropy(net, X, y).backward()
    norms = [np.linalg.norm(layer.b.grad) for layer in net.layers[:4]]
    assert 5 < norms[3] / norms[0] < 10
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], activation=squash, seed=seed)
    history = vg.training.fit(net, entropy, digits.train, epochs=4, lr=0.1, validation=digits.validation, seed=0)
    assert history.accuracy[-1] > 0.6
book = {"四个 30 的隐藏层，50,000 张训练图像，30 轮，认对的百分比": 96.53}

# %% [markdown] en="ed2f2a2e"
# 从第 4 层到第 1 层，学习速度用 σ 时降到大约 1/110，用 ψ 时只降到 1/6 到 1/7。在 1,000 张数字上训练五轮之后，sigmoid 网络仍然在瞎猜，十个里对一个；用你的运算的那个网络，大约四个里能认对三个。（这是种子 0；种子取 1 和 2 时，ψ 的倍数也在 5 和 10 之间，四轮之后认对的超过 60 %。有了全部 50,000 张图像，sigmoid 网络也学得会，只是起步晚：书中的那个最后到了 96 %。）
#
# 这不是什么奇迹：ψ 和所有把数压进一个范围的函数一样，也会饱和，它的因子也照样要乘起来。不过它的山有四倍高。
#
# ### 练习 12.1：自带权重的运算
#
# 现在从头到尾自己来一遍，这回有两个自变量。这个函数叫 **swish**：
#
# $$\text{swish}(x, \beta) = x \cdot \sigma(\beta x)$$
#
# β 可以由网络自己去*学*。β = 0 时它是直线 x/2，β 很大时它差不多就是 ReLU。

# %%
xs = np.linspace(-5, 5, 201)
with plot("三个 β 的 swish：0.3 时是缓缓的一弯，1 时在零的左边凹下去一点，10 时差不多就是 ReLU") as axes:
    for beta, style in ((0.3, "-"), (1.0, "--"), (10.0, "-.")):
        axes.plot(xs, xs * vg.sigmoid(beta * xs), style, label=f"β = {beta}")
    axes.set(xlabel="x", title="swish(x, β)")
    axes.legend()

# %% [markdown] en="5afc6e5c"
# 请写出两样东西。
#
# * `swish`：用 `vg.primitive` 造的运算，自变量依次是 x 和 β，有两条规则，两个自变量都给出 `local`。注意 x 在公式里出现了两次。形状的事，规则不必操心：不管 β 是一个数，还是每个神经元一个，该加起来的，引擎会去加。回答的形状和输出的一样就行。
# * `my_samples`：给 `vg.check_op` 用的样本，是一列 (x, β)，要好到除了本来就不可能有影响的变异体之外，再没有哪个闲着。可以试试 `vg.check_op(swish, samples=my_samples, reference=…, mutants=True)`，读一读它说了什么。

# %% tags=["exercise"]
swish = ...
my_samples = [...]


# %% tags=["solution"]
def swish_vjp_x(g, out, x, beta):
    s = vg.sigmoid(beta * x)
    return g * (s + beta * x * s * vg.sigmoid(-beta * x))  # 从 x 出发有两条路径，加起来


def swish_vjp_beta(g, out, x, beta):
    return g * x * x * vg.sigmoid(beta * x) * vg.sigmoid(-beta * x)


swish = vg.primitive(
    lambda x, beta: x * vg.sigmoid(beta * x),
    (swish_vjp_x, swish_vjp_beta),
    name="swish",
    local=("σ({1}·{0}) + {1}·{0}·σ′({1}·{0})", "{0}²·σ′({1}·{0})"),
)
my_samples = [
    (np.array([[1.0, -2.0, 0.3], [0.7, 1.5, -0.4]]), np.array([[0.5, 1.0, 2.0], [-0.7, 1.2, 0.3]])),
    (np.array([[0.8], [-1.1]]), np.array([[1.0, -0.5, 2.0]])),  # 两个都要广播
]

# %% tags=["check"]
with check("12.1", hint="推一下 x：因子 x 会动，σ 也会动。样本里要让每个自变量都广播一回：(2, 1)，(1, 3)。"):
    answered(swish, my_samples)
    rng = np.random.default_rng(121)
    assert hasattr(swish, "op"), "swish 应当用 vg.primitive 来造"
    assert len(swish.op.rules(2)) == 2, f"两个自变量，就该有两条规则，现在有 {len(swish.op.rules(2))} 条"
    tried = [tuple(rng.normal(size=s) for s in pair) for pair in (((), ()), ((2, 3), (2, 3)), ((3, 1), (1, 2)))]

    def other_way(x, beta):
        return x * (1 + np.tanh(beta * x / 2)) / 2

    report = vg.check_op(swish, samples=tried, reference=other_way, mutants=True, raises=False)
    if not report:
        lines = [str(failure).splitlines()[0] for failure in report.failures]
        raise AssertionError(f"有 {len(lines)} 条性质不成立，第一条是：{lines[0]}")
    words = swish.op.local
    assert len(words) == 2, "请给出 local=(…, …)：图里该怎样写这两个局部导数"
    assert all("{0}" in word or "{1}" in word for word in words), "在 local 里，x 写成 {0}，β 写成 {1}"
    mine = vg.check_op(swish, samples=my_samples, reference=other_way, mutants=True, raises=False)
    assert not mine.failures, f"在你的样本上：{mine.failures[0]}"
    asleep = [name.split(": ")[1] for name in (*mine.missed, *mine.idle) if name not in report.idle]
    assert not asleep, f"swish 对了。可是你的样本没有看出 {len(asleep)} 个变异体：{', '.join(asleep[:5])}"

# %% [markdown] en="bfe88db4"
# 这样的答案画出来是下面的样子，β 作为变量，与 x 并排。它有自己的梯度，网络可以去学它。


# %%
def sigma_slope(z):
    return vg.sigmoid(z) * vg.sigmoid(-z)


gated = vg.primitive(
    lambda x, beta: x * vg.sigmoid(beta * x),
    (
        lambda g, out, x, beta: g * (vg.sigmoid(beta * x) + beta * x * sigma_slope(beta * x)),
        lambda g, out, x, beta: g * x * x * sigma_slope(beta * x),
    ),
    name="swish",
    local=("σ({1}·{0}) + {1}·{0}·σ′({1}·{0})", "{0}²·σ′({1}·{0})"),
)
x, beta = vg.Tensor(0.8, name="x"), vg.Tensor(1.5, name="β")
out = gated(x, beta).named("a")
show(vg.draw(out), "swish 是一个节点，往回有两条边，通向 x 和 β；通向 β 的那条写着 x²·σ′(β·x) = 0.1139")
print(vg.explain(out, wrt=beta))

# %% tags=["hidden"]
assert f"{vg.backprop(out)[beta]:.4f}" == "0.1139"

# %% [markdown] en="2f2c0841"
# ## 带走这些
#
# * 一个运算，就是一个函数，加上每个自变量的一条 **vjp**：消息乘局部导数，用 NumPy 的函数来写，这样就能再求一次导。
# * 纸上相等的两个公式，到了计算机里可能不一样：ψ 接近 1 时，1 − ψ² 只剩下舍入误差。
# * **代价下降，什么也证明不了。**符号错了，它也照样下降。
# * 梯度检验能看出错误的斜率，但只在它去看的那些地方。对一个运算，应当要求更多：值的**参照**、`vg.check_op` 的各条性质、由 Hypothesis 来挑的样本。
# * 想知道一个检验有多少分量，就故意把东西弄坏，看它怎么说。**变异体**可以成打地替你做这件事。
#
# 这是最后一课。你从推一下单个权重开始；如今你能读懂一个网络的图，能解释它的前几层为什么学得慢，会测量，有对策，还能扩展那个把这一切算出来的引擎，并且拿得出它正确的证据。带走一个问题吧：关于深网络，你相信的哪个论断从来没有见它失败过？你会怎样故意把它弄坏？
