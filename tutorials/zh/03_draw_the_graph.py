# %% [markdown] minutes=15 en="1815416a"
# # 3. 把图画出来
#
# 第 2 课里，数学会了记住自己的来源。它们记住的东西其实就是一幅图：一个个方框，方框之间有箭头。要看清一个导数，没有比这更有用的图了，因为*一切*都在图上：每个值、每个局部导数、沿途的每个乘积。会读这幅图，就不必听谁说梯度是多少，用手指顺着走一遍便知。
#
# 所以这一课代码少，图多。先学读一个方框，再学读一支箭头，然后是一条路径，最后是好几条路径。末了，图还会动起来。

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, show

begin("03_draw_the_graph", lang="zh")

# %% [markdown] en="87fc6164"
# ## 一个方框
#
# 从一个神经元和它的代价开始。`named` 给 Tensor（张量）起名字，方框里写的就是这个名字；没有名字的不单独成框，而是并进下一个方框的公式里。

# %%
w, b = vg.Tensor(0.8, "w"), vg.Tensor(0.1, "b")
z = (w * 0.7 + b).named("z")
a = vg.sigmoid(z).named("a")
C = ((a - 1) ** 2 / 2).named("C")

show(vg.draw(C), "一个神经元和它的代价：w 和 b 通向 z，z 通向 a，a 通向 C；从 C 往回有粗箭头通到每一个方框")

# %% tags=["hidden"]
first = vg.backprop(C)
assert f"{a.item():.4f}" == "0.6593"
assert f"{first[a]:.4f}" == "-0.3407"
assert f"{first[z]:.5f}" == "-0.07654"
assert f"{first[w]:.5f}" == "-0.05358"

# %% [markdown] en="73292205"
# 每个方框有一个框头和两行字。
#
# * 框头里写着**名字**，以及这个值是怎么来的：a = σ(z)。框头的颜色表示种类：蓝色是叶子，橙色是和与积，绿色是激活值，粉色是代价。
# * **value** 是值，往前走、也就是从左往右时算出来的。a 是 0.6593，和第 1 课一样。
# * **grad** 是余切向量，往回走、也就是从右往左时得到的。它回答的永远是同一个问题：*在这里推进去一份，C 那里出来几份？* 在 a 处它是 −0.3407。在 C 处是 1：C 动一份，它自己就动一份。
#
# 要是还有第三行，那就是这个方框往左传时要乘的局部导数。
#
# ## 一支箭头
#
# 相邻的方框之间有两条车道。细细的灰色箭头是往前的路，值沿着它走。带颜色的箭头往回走，上面写着**局部导数**：×σ′(z) = 0.2246，或者 ×0.7。（叶子要是画在上方或下方，两条车道就合成一条线，两头都有箭头。）
#
# 读法就是第 2 课的规矩：*右边的 grad，乘以箭头上的数，就是左边的 grad。*

# %%
cotangents = vg.backprop(C)
slope = a.item() * (1 - a.item())
print(f"在 a 处：       {cotangents[a]:.5f}")
print(f"在 z 处：{cotangents[a]:.4f} × {slope:.4f} = {cotangents[a] * slope:.5f}")
print(f"在 w 处：{cotangents[z]:.5f} × 0.7    = {cotangents[z] * 0.7:.5f}")

# %% tags=["hidden"]
assert f"{slope:.4f}" == "0.2246"
assert math.isclose(cotangents[a] * slope, cotangents[z], rel_tol=1e-12)
assert math.isclose(cotangents[z] * 0.7, cotangents[w], rel_tol=1e-12)

# %% [markdown] en="d2862735"
# 请在图上找出这三个数。这样你就把整幅图读完了：这种图里除了这样的方框和箭头，再没有别的东西。
#
# ## 四个神经元的链子
#
# 现在把四个神经元排成一串，各有各的权重和偏置。整个系列都围着这条链子转。
#
# 运行之前先猜一猜：四个偏置当中，哪一个的 grad 最小？它比最大的那个小多少：一半、十分之一，还是百分之一？

# %%
subscripts = "₁₂₃₄"
weights = [vg.Tensor(v, f"w{k}") for k, v in zip(subscripts, (0.8, -0.6, 0.9, -0.4), strict=True)]
biases = [vg.Tensor(v, f"b{k}") for k, v in zip(subscripts, (0.1, -0.2, 0.3, 0.05), strict=True)]

signal = 0.7  # 输入
for k, weight, bias in zip(subscripts, weights, biases, strict=True):
    total = (weight * signal + bias).named(f"z{k}")
    signal = vg.sigmoid(total).named(f"a{k}")
cost = ((signal - 0) ** 2 / 2).named("C")  # 想要的输出是 0

show(vg.draw(cost), "排成一串的四个神经元和代价；往回的箭头在 C 处又粗又深，到 b₁ 处又细又淡")

# %% tags=["hidden"]
at_biases = [vg.backprop(cost)[bias] for bias in biases]
assert f"{at_biases[0] * 1e4:.3f}e-4" == "2.798e-4"
assert f"{at_biases[3]:.4f}" == "0.1107"
assert 390 < at_biases[3] / at_biases[0] < 400

# %% [markdown] en="62357a66"
# 在 b₄ 处，grad 是 0.1107；在 b₁ 处是 2.798e-4，只有前者的大约 400 分之一。而这些数并没有谁特意挑过。
#
# 先别看数字，先看带颜色的箭头。它们的粗细和颜色表示到这里为止传回来了多少，而且用的是*对数刻度*：细一级，意思是小多少倍，而不是小多少。从右往左，每过一个神经元，箭头就更细、更淡一些。梯度正在消失，站在教室的最后一排也看得见。
#
# ## 一条路径
#
# 是哪些因子把 b₁ 的 grad 弄得这么小？用 `wrt` 告诉 `draw` 你问的是哪个变量，它就会把路径标出来，并把沿途箭头上的数收集到一起。

# %%
show(
    vg.draw(cost, wrt=biases[0]),
    "同一条链子，标出了从 b₁ 到 C 的路径；下面的表格列出五个因子和它们的乘积",
)
chain = vg.explain(cost, wrt=biases[0])
print(chain)

# %% tags=["hidden"]
assert len(chain.terms) == 5
assert math.isclose(math.prod(term.value for term in chain.terms), at_biases[0], rel_tol=1e-12)
assert max(abs(term.value) for term in chain.terms[:-1]) < 0.25

# %% [markdown] en="7440f828"
# 第一行就是链式法则，是机器替我们写出来的：
#
# $$\frac{\partial C}{\partial b_1} = \sigma'(z_1) \cdot w_2\sigma'(z_2) \cdot w_3\sigma'(z_3) \cdot w_4\sigma'(z_4) \cdot \frac{\partial C}{\partial a_4}$$
#
# 一个权重和它后面的 σ′ 写成一项，因为它们属于同一个神经元。`draw` 和 `explain` 讲的是同一件事：*value* 那一列是各个因子，最后一列从下往上读，是到这里为止传回来的。∂C/∂a₄ 前面的四个因子，大小都不到 0.25。那 400 倍就是这样没有的。
#
# ### 练习 3.1：任意两点之间
#
# *grad* 说的总是 C。可是箭头上的数并不认识 C，所以这幅图能回答的问题还要更多。请从链子的图上读出下面两个答案，用到的数取四位：
#
# * 在 a₁ 处推进去一份，a₃ 那里出来几份？
# * 在 b₂ 处推进去一份，z₄ 那里出来几份？
#
# 可以直接写成几个数相乘，乘法由 Python 来做。

# %% tags=["exercise"]
da3_da1 = ...
dz4_db2 = ...

# %% tags=["solution"]
da3_da1 = (-0.6) * 0.2291 * 0.9 * 0.2274  # w₂ · σ′(z₂) · w₃ · σ′(z₃)，就是 a₃ 与 a₁ 之间的全部箭头
dz4_db2 = -0.4 * 0.2274 * 0.9 * 0.2291 * 1  # 从 z₄ 回到 b₂：w₄ · σ′(z₃) · w₃ · σ′(z₂) · 1

# %% tags=["check"]
with check("3.1", hint="把手指放在 a₃ 上，往回走到 a₁，把每支带颜色的箭头上写的数都记下来。"):
    answered(da3_da1, dz4_db2)
    w2, w3, w4 = [weight.item() for weight in weights[1:]]
    b2, b3, b4 = [bias.item() for bias in biases[1:]]
    a1_now = vg.sigmoid(0.8 * 0.7 + 0.1)
    tried_a = vg.grad(lambda a1: vg.sigmoid(w3 * vg.sigmoid(w2 * a1 + b2) + b3))(a1_now)
    tried_b = vg.grad(lambda b: w4 * vg.sigmoid(w3 * vg.sigmoid(w2 * a1_now + b) + b3) + b4)(b2)
    assert math.isclose(da3_da1, tried_a, rel_tol=0.01), f"∂a₃/∂a₁：a₃ 那里出来的不是 {da3_da1:.5g}"
    assert math.isclose(dz4_db2, tried_b, rel_tol=0.01), f"∂a₃/∂a₁ 对了；∂z₄/∂b₂ 却不是 {dz4_db2:.5g}"

# %% [markdown] en="98d35b18"
# ## 两条路径
#
# 在一条链子里，每个变量到代价都只有一条路径。现在让两个神经元*共用*一个权重和一个偏置：第二个用的 w 和 b 就是第一个的。（逐词读文章的网络就是这样做的。）

# %%
w, b = vg.Tensor(1.5, "w"), vg.Tensor(-0.5, "b")
a1 = vg.sigmoid((w * 0.7 + b).named("z₁")).named("a₁")
a2 = vg.sigmoid((w * a1 + b).named("z₂")).named("a₂")
C = ((a2 - 1) ** 2 / 2).named("C")

show(
    vg.draw(C, wrt=w),
    "共用 w 和 b 的两个神经元：从 C 到 w 有两条带颜色的路径，一条穿过 a₁，一条绕过它",
)

# %% [markdown] en="2425ee8f"
# 从 C 出发，顺着带颜色的箭头往左走。到了 z₂，它们分开了：一条穿过 a₁ 和 z₁ 到 w，另一条直接到 w。（虚线箭头也传梯度，只是不通往我们问的那个变量。）最后怎么合起来，表格下面的那行字说得明白：

# %%
chain = vg.explain(C, wrt=w)
for path in chain.paths:
    print(f"{path.text} = {path.value:.5f}")
print(f"{chain.count} 条路径之和：{chain.value:.5f}")

# %% tags=["hidden"]
assert [f"{path.value:.5f}" for path in chain.paths] == ["-0.05865", "-0.02253"]
assert f"{chain.value:.5f}" == "-0.08117"
assert math.isclose(sum(path.value for path in chain.paths), vg.backprop(C)[w], rel_tol=1e-12)

# %% [markdown] en="a3eeaed4"
# 短的路径送来 −0.05865，长的路径送来 −0.02253，加起来是 −0.08117，正是 w 那个方框里的 grad。（末位是各自舍入的。）这就是第 2 课那句话的图：**沿一条路径相乘，各条路径相加。** 反向传播说到底也就是这一句。
#
# ## 一条近路
#
# 既然每条路径都会送来自己的一份，那么我们也可以特意修一条。还是第 1 课那个两个神经元的网络，只多一支箭头：a₁ 不仅送进第二个神经元，还直接*加*到它的输出上。
#
# 通往 b₁ 的两条路径，哪一条送得更多？

# %%
w1, b1 = vg.Tensor(0.8, "w₁"), vg.Tensor(0.1, "b₁")
w2, b2 = vg.Tensor(-0.6, "w₂"), vg.Tensor(-0.2, "b₂")
a1 = vg.sigmoid((w1 * 0.7 + b1).named("z₁")).named("a₁")
s2 = vg.sigmoid((w2 * a1 + b2).named("z₂")).named("s₂")
a2 = (a1 + s2).named("a₂")
C = ((a2 - 2) ** 2 / 2).named("C")

show(
    vg.draw(C, wrt=b1),
    "旁边有一条近路的神经元：绕过神经元的路径又粗又深，穿过它的那条要细一些",
)

# %% tags=["hidden"]
past, through = [path.value for path in vg.explain(C, wrt=b1).paths]
assert f"{past:.4f}" == "-0.2214"
assert f"{through:.5f}" == "0.03042"
assert 7 < -past / through < 8

# %% [markdown] en="6d66e0da"
# 穿过神经元的路径送来 0.03042，绕过它的路径送来 −0.2214，是前者的七倍：因为和的局部导数是 1，而 1 不会让任何东西变小。这叫做**残差连接**（residual connection），是第 9 课的对策之一。它为什么管用，你刚刚已经看到了。
#
# ### 练习 3.2：只凭一张箭头清单做反向传播
#
# 请写出最纯粹的反向传播。给你的是一幅图的全部箭头，写成一个列表，每一项是（起点，终点，局部导数），例如 `("w", "z", 0.7)`。请求出：在 `start` 处推进去一份，`end` 那里出来几份。也就是说，对从 `start` 到 `end` 的每一条路径求乘积，再把它们全部相加。
#
# 箭头绝不会绕成圈。同样的两个方框之间可以有两支箭头，就像 x·x。没有路径，答案就是 0；从一个方框到它自己，答案是 1。


# %% tags=["exercise"]
def sum_over_paths(arrows, start, end):
    """从 start 到 end 的每一条路径上，箭头上的数相乘；再对所有路径求和。"""
    ...


# %% tags=["solution"]
def sum_over_paths(arrows, start, end):
    """从 start 到 end 的每一条路径上，箭头上的数相乘；再对所有路径求和。"""
    if start == end:
        return 1.0
    # 每条路径都以一支从 start 出发的箭头开头，再从它指向的地方接着走
    return sum(slope * sum_over_paths(arrows, target, end) for source, target, slope in arrows if source == start)


# %% tags=["check"]
with check("3.2", hint="一条路径，就是第一支箭头，加上从它指向的地方开始的一条路径。函数可以调用自己。"):
    answered(sum_over_paths)
    two = [("x", "u", 2.0), ("x", "v", 3.0), ("u", "y", 5.0), ("v", "y", 7.0)]
    assert math.isclose(sum_over_paths(two, "x", "y"), 31), "x→u→y 上是 2 和 5，x→v→y 上是 3 和 7：应当是 10 + 21"
    rng = np.random.default_rng(32)
    for _ in range(30):
        boxes = [vg.Tensor(1.0, "n0")]
        arrows = []
        for k in range(1, 7):
            sources, slopes = rng.integers(k, size=2), rng.choice([-3, -2, -1, 1, 2, 3], size=2) / 2
            boxes.append(sum(slope * boxes[i] for i, slope in zip(sources, slopes, strict=True)))
            arrows += [(f"n{i}", f"n{k}", float(slope)) for i, slope in zip(sources, slopes, strict=True)]
        shuffled = [arrows[i] for i in rng.permutation(len(arrows))]
        by_engine = vg.backprop(boxes[-1])
        for i, box in enumerate(boxes):
            found, due = sum_over_paths(shuffled, f"n{i}", "n6"), float(by_engine.get(box, 0.0))
            assert math.isclose(found, due, rel_tol=1e-9), (
                f"从 n{i} 到 n6，你得到 {found:.5g}，引擎得到 {due:.5g}；箭头是 {arrows}"
            )

# %% [markdown] en="a0f9729b"
# ## 一万亿条路径
#
# 你要是和我们写得一样，它就会把每条路径都走一遍。还记得第 2 课的加倍吧，一次又一次 y + y。加倍 40 次的图有多少条路径？

# %%
x = vg.Tensor(1.0, "x")
y = x
for _ in range(40):
    y = y + y
y.named("y")

chain = vg.explain(y, wrt=x)
print(f"{chain.count:,} 条路径，它们的总和是 {chain.value:,.0f}")

# %% tags=["hidden"]
assert chain.count == 2**40 == chain.value == 1_099_511_627_776

# %% [markdown] en="ea20ebca"
# 41 个方框，却有 1,099,511,627,776 条路径，而答案一下子就出来了。没有谁去走过它们。在每个方框那里，消息都是*先*加起来，再往下传，而且只传一次。所以反向传播不看任何一条路径，就得到了所有路径之和。大网络之所以可能，靠的是这一点，而不是链式法则。
#
# ## 图上的窟窿
#
# 图还有一个长处：*没有*的东西，它一眼就能让人看出来。有人想打印 a₁，用 `.data` 取出了它的数；下面的代码就接着用这个数，而不再用那个 Tensor。程序能跑，代价也没错。请找一找第一个神经元。

# %%
a1 = vg.sigmoid((w1 * 0.7 + b1).named("z₁")).named("a₁")
value = a1.data  # 只是一个数：它什么也不记得
a2 = vg.sigmoid((w2 * value + b2).named("z₂")).named("a₂")
C = ((a2 - 1) ** 2 / 2).named("C")

show(vg.draw(C), "只有 w₂ 和 b₂ 通向代价；第一个神经元不见了，它的输出成了一个数 0.6593")
print(vg.explain(C, wrt=w1))

# %% tags=["hidden"]
assert f"{float(value):.4f}" == "0.6593"
assert vg.explain(C, wrt=w1).value == 0

# %% [markdown] en="cb1c2460"
# 它不在图上。0.6593 写在 z₂ 的公式里，和别的常数一样，而 w₁ 永远什么也学不到。网络要是不肯学，就把它画出来：少一支箭头，靠想很难想到，看却一看便知。
#
# ## 各层
#
# 方框里也可以是数组。这时图上写的不是一个个数，而是值的形状和它的**范数** ‖·‖（norm，各数平方和的平方根，也就是它的长度），箭头上带的则是矩阵。下面是一个实际会用的网络：四层 sigmoid 神经元，看着 1000 个手写数字，每层画成一个方框。

# %%
X, digits = vg.datasets.mnist_sample().train
network = vg.nn.MLP([784, 30, 30, 30, 10], seed=1)
C = vg.nn.losses.quadratic(network(X), digits)

show(
    vg.draw(C, level="layer"),
    "四层排成一行，每层一个方框；方框底部的长条是这一层的梯度，越往前越短",
)

# %% tags=["hidden"]
norms = [float(np.linalg.norm(vg.backprop(C)[layer.b])) for layer in network.layers]
assert abs(norms[3] / norms[0] - 100) < 10
assert norms == sorted(norms)
assert len(X) == 1000

# %% [markdown] en="e86c0bdf"
# 同样的图，同样的故事：方框底部的长条是各层的 ‖∂C/∂b‖，用的还是对数刻度。第一层大约只有最后一层的 100 分之一。第 5 课会搭这样的网络，第 7 课要问：它们学习的时候，这些长条会怎样变化？
#
# ## 让它动起来
#
# 有一件事，印在纸上的图做不到：让你亲手去拉一个权重。`vg.explore` 把四个神经元的链子写成一个网页，只有一个文件，不用联网。

# %%
page = vg.explore(cost, "03_explorer.html", wrt=biases[0])
print(f"请用浏览器打开 {page.resolve()}")

# %% [markdown] en="17d9daa2"
# 打开它，试三件事。
#
# 1. 按 *start*，再一次一次地按 *step*。先是值从左往右一个个出现，然后是梯度从右往左一个个出现。每按一次之前，先把下一个 grad 大声说出来。
# 2. 把 w₃ 拉到 0。哪些 grad 变成了 0，哪些没有？b₃ 为什么还能学？
# 3. 设法让 ∂C/∂b₁ 尽量大。你会发现，光把权重调大是不行的。看看权重变大时 σ′ 怎么了。（第 8 课知道窍门；*large w, z≈0: explode* 那个按钮也知道。）

# %% tags=["hidden"]
weights[2].update(0.0)
signal = 0.7
for weight, bias in zip(weights, biases, strict=True):
    signal = vg.sigmoid(weight * signal + bias)
without = vg.backprop((signal - 0) ** 2 / 2)
assert [without[t] == 0 for t in biases] == [True, True, False, False]
assert [without[t] == 0 for t in weights] == [True, True, False, False]
weights[2].update(0.9)
assert "large w, z≈0: explode" in page.read_text(encoding="utf-8")

# %% [markdown] en="f6cb74fc"
# ## 这一课带走什么
#
# * 方框里有 **value**，往前走时算出来；有 **grad**，也就是它的余切向量，往回走时得到。
# * 每支往回的箭头上写着一个**局部导数**：右边的 grad 乘以它，就是左边的 grad。
# * 沿一条路径相乘，各条路径相加。反向传播不必走遍路径就能得到总和。
# * 粗细和颜色用对数刻度表示传回来多少；少了一支箭头的地方，就什么也传不回来。
# * `vg.draw(C)`、`vg.draw(C, wrt=b)`、`vg.explain(C, wrt=b)`、`vg.explore(C, "page.html")`：请用在你自己的函数上。
#
# 这些图画的都是引擎*以为*的东西。要是它有一个局部导数错了，图上就会用漂亮的字体印着一个错误的数。怎么知道它们是对的呢？这就是第 4 课的问题。
