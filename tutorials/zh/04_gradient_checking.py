# %% [markdown] minutes=20 en="f4edbd7e"
# # 4. 裁判由谁来裁判？
#
# 梯度错了，不会报错。网络照样学会一点点，代价照样降一点点，然后有人花一个星期去调学习率。所以梯度必须检验，而怎样检验，第 1 课已经说过：推一下，看一看，比一比。这叫做**梯度检验**（gradient checking）。凡是做过的人，都会碰上同样的三个问题：
#
# * 推多大一步？
# * 差多少才算对得上？
# * 要是梯度只有 1e-11 呢？
#
# 通常的回答是“1e-5”“1e-5”和一阵沉默。我们会看到，第三个问题怎样把前两个回答打得粉碎，然后为三个问题都找到更好的答案。

# %%
import math

import numpy as np
from hypothesis import find, settings

import tinygrad_vg as vg
from tinygrad_vg import strategies
from tinygrad_vg.tutorials import answered, begin, check, plot

begin("04_gradient_checking", lang="zh")

# %% [markdown] en="62d97cfb"
# ## 拿什么来试
#
# 还是把神经元排成一串，每个的权重都是 0.8，没有偏置，于是 aₖ = σ(0.8·aₖ₋₁)。`deep(x, n)` 是经过 n 个神经元之后的输出；`true_slope(x, n)` 是它的导数，写法和你在第 1 课里写的一样：局部斜率的乘积。它完全不靠推。


# %%
def deep(x, n):
    for _ in range(n):
        x = vg.sigmoid(0.8 * x)
    return x


def true_slope(x, n):
    product = 1.0
    for _ in range(n):
        x = vg.sigmoid(0.8 * x)
        product = product * 0.8 * x * (1 - x)
    return product


print(f" 1 个神经元：a = {deep(1.0, 1):.4f}，斜率 {true_slope(1.0, 1):.2e}")
print(f"15 个神经元：a = {deep(1.0, 15):.4f}，斜率 {true_slope(1.0, 15):.2e}")

# %% [markdown] en="3dedf25a"
# ## 推多大一步？
#
# 现在让步长 h 从 1 一直小到 1e-13，看看第 1 课的两种差分离单个神经元的斜率各差多少。只试一个点，也许碰巧好运气，所以我们试 25 个，取最差的。你猜会怎样：越小越好吗？


# %%
points = np.linspace(0.5, 1.5, 25)
steps = 10.0 ** np.linspace(0, -13, 53)


def forward(f, x, h):
    return (f(x + h) - f(x)) / h


def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


def miss(difference, n, h):
    """隔着 n 个神经元，差分与斜率相差多少（相对于斜率）；取 25 个点中最差的。"""
    found = difference(lambda x: deep(x, n), points, h)
    return np.max(np.abs(found / true_slope(points, n) - 1))


# %%
with plot("两条曲线都像歪着的 U：步长变小时，误差先降后升") as axes:
    for difference, label in ((forward, "前向差分"), (central, "中心差分")):
        axes.loglog(steps, [miss(difference, 1, h) for h in steps], label=label)
    axes.set(xlabel="← 舍入        步长 h        截断 →", ylabel="相对误差，25 个点中最差的")
    axes.legend(loc="lower left")

# %% tags=["hidden"]
lowest = {f: min(miss(f, 1, h) for h in steps) for f in (forward, central)}
at_lowest = {f: min(steps, key=lambda h, f=f: miss(f, 1, h)) for f in (forward, central)}
assert 3e-9 < lowest[forward] < 1e-7
assert 3e-12 < lowest[central] < 3e-10
assert 1e-9 < at_lowest[forward] < 1e-6
assert 1e-7 < at_lowest[central] < 1e-3
assert 5e-8 < miss(central, 1, 1e-8) < 5e-6

# %% [markdown] en="25671423"
# 两条曲线都像一个 **U**。右边那一臂是推得太重：函数是弯的，过两点的直线还不是切线。这叫差分的**截断**（truncation）误差。左边那一臂是推得太轻：f(x + h) 与 f(x − h) 各有 16 位数字，几乎全都相同，相减之后剩下的大半是**舍入**（rounding）误差。
#
# 两臂各有各的规律。截断误差，前向差分大约是 h，中心差分大约是 h²，看右边两条线的斜率就知道。舍入误差两者都大约是 ε/h，其中 ε = 2.2e-16 是计算机里一个数的相对精度。

# %% tags=["hidden"]
assert f"{np.finfo(float).eps:.1e}" == "2.2e-16"

# %% [markdown] en="b6a40559"
# ### 练习 4.1：U 的底
#
# 这样说来，前向差分的误差大致是 h + ε/h，中心差分的误差大致是 h² + ε/h。它们各在哪里最小？请给两者各找一个好的步长。（想想两部分在哪里相等；也可以从图上读，再看看是否合乎规律。）

# %% tags=["exercise"]
best_h_forward = ...
best_h_central = ...

# %% tags=["solution"]
best_h_forward = np.finfo(float).eps ** (1 / 2)  # h = ε/h，也就是 h² = ε
best_h_central = np.finfo(float).eps ** (1 / 3)  # h² = ε/h，也就是 h³ = ε

# %% tags=["check"]
with check("4.1", hint="h = ε/h 就是 h² = ε。那么 h² = ε/h 就是……？ε 约为 2e-16。"):
    answered(best_h_forward, best_h_central)
    places = np.random.default_rng(41).uniform(-1, 1, size=100)
    for name, difference, h in (("前向差分", forward, best_h_forward), ("中心差分", central, best_h_central)):
        assert 0 < h < 1, f"{name}的步长应当在 0 与 1 之间，而不是 {h}"
        for f, slope in ((np.tanh, 1 - np.tanh(places) ** 2), (np.exp, np.exp(places))):
            errors = {k: np.max(np.abs(difference(f, places, k) / slope - 1)) for k in [h, *steps]}
            times = errors[h] / min(errors.values())
            assert times < 30, f"{f.__name__} 的{name}：用你的步长，误差是最小误差的 {times:.0f} 倍"

# %% [markdown] en="a2faa669"
# 所以，中心差分取 6e-6 左右的步长，能有十位、十一位是对的。这就是第一个答案：*用中心差分，h 取 1e-5 左右*。

# %% tags=["hidden"]
assert f"{np.finfo(float).eps ** (1 / 3):.0e}".replace("e-0", "e-") == "6e-6"

# %% [markdown] en="033a93c0"
# ## 差多少才算对得上？
#
# 差分和梯度从来不会完全相等。常见的检验规定：相差不到 1e-5 就算通过。经过 8 个神经元之后，我们让它评判四个梯度：一个对的，三个错的。它会怎么说？

# %%
right = true_slope(1.0, 8)
tried = central(lambda x: deep(x, 8), 1.0, 1e-5)

for name, gradient in (("正确的", right), ("两倍的", 2 * right), ("反号的", -right), ("零　　", 0.0)):
    verdict = "通过" if abs(gradient - tried) < 1e-5 else "不通过"
    print(f"{name}：{gradient:9.2e} {verdict}")

# %% tags=["hidden"]
assert f"{right:.2e}" == "1.40e-06"
assert f"{right * 1e6:.1f}e-6" == "1.4e-6"
assert all(abs(gradient - tried) < 1e-5 for gradient in (right, 2 * right, -right, 0.0))

# %% [markdown] en="8d90a270"
# 它全都放行。梯度是 1.4e-6，而一个肯原谅 1e-5 的检验，根本看不见它。这种界限叫做**绝对容差**，最流行的那些工具都有。梯度越小，它就越瞎；而深的网络，梯度偏偏很小。
#
# 该问的是：两者相差多少，*同它们自己的大小相比*。这就是**相对误差**：
#
# $$\frac{|g - n|}{\max(|g|, |n|)}$$
#
# 梯度要是大了一倍，相对误差就是 0.5，不管梯度是 1 还是 1e-100。所以第二个答案是：*永远用相对误差*。
#
# ## 要是梯度只有 1e-11 呢？
#
# 把两个答案用起来：中心差分取 h = 1e-5，再看相对误差。梯度是对的，只是神经元的队伍越排越长。

# %%
depths = list(range(1, 21))
sizes = [abs(true_slope(1.0, n)) for n in depths]
by_central = [miss(central, n, 1e-5) for n in depths]
by_best = [min(miss(central, n, h) for h in steps) for n in depths]

with plot(
    "左图：斜率随深度匀速下降，穿过舍入误差的水平；右图：误差一直升到 1",
    panels=2,
    width=8.8,
    height=3.6,
) as (left, right_panel):
    left.semilogy(depths, sizes, "o-", label="斜率")
    left.axhline(1.1e-16 / 1e-5, color="C1", linestyle="--", label="差分的舍入误差，h = 1e-5")
    left.set(xlabel="神经元个数", ylabel="大小", ylim=(1e-16, 1e2))
    left.legend(loc="upper right", fontsize=8)
    right_panel.semilogy(depths, by_central, "o-", label="h = 1e-5")
    right_panel.semilogy(depths, by_best, "s-", label="最好的 h")
    right_panel.set(xlabel="神经元个数", ylabel="中心差分的相对误差", ylim=(1e-12, 1e2))
    right_panel.legend(loc="lower right", fontsize=8)

# %% tags=["hidden"]
assert f"{true_slope(1.0, 15):.1e}" == "1.2e-11"
assert 0.1 < miss(central, 15, 1e-5) < 3
assert miss(central, 20, 1e-5) > 0.5
assert 0.01 < min(miss(central, 20, h) for h in steps) < 0.15
assert 4 < (sizes[0] / sizes[-1]) ** (1 / 19) < 6

# %% [markdown] en="121bb914"
# 先看左图：每多一个神经元，斜率就变成原来的五分之一左右。可是 a 本身并没有变小，它总在 0.6 与 0.7 之间，而差分的舍入误差正是 a 的舍入误差。于是舍入误差停在 1e-11 那里不动，斜率却朝着它沉下去。
#
# 再看右图：到 15 个神经元时，斜率是 1.2e-11，中心差分已经一位都不对了。这时用相对误差的检验会把*正确*的梯度说成错的。换一个 h，可以再撑几层，可谁也不会预先知道哪个 h 最好；到了 20 个神经元，就连最好的 h 也要差百分之几。
#
# 这就进退两难了：有绝对容差，检验是瞎的；没有绝对容差，检验就见鬼。出路有两条。一条是：知道自己知道多少。另一条是：不做减法。

# %% tags=["hidden"]
assert all(0.6 < deep(1.0, n) < 0.7 for n in depths)

# %% [markdown] en="db86f2a5"
# ## 知道自己知道多少
#
# 好的测量总带着一个**误差界**：这面墙长三米，误差不超过一指。`vg.numerical_gradient` 求导数时就是这样做的。它取九个步长，每个是前一个的四分之一，外推到 h = 0，同时盯着两件事：答案还在动多少，函数自己抖得有多厉害。

# %%
for n in (1, 8, 12, 20):
    value, bound = vg.numerical_gradient(lambda x, n=n: deep(x, n), 1.0, method="finite")
    print(f"{n:2} 个神经元：{value:10.3e} ± {bound:.0e}   真值：{true_slope(1.0, n):10.3e}")

# %% tags=["hidden"]
for n in (1, 8, 12, 20):
    value, bound = vg.numerical_gradient(lambda x, n=n: deep(x, n), 1.0, method="finite")
    assert abs(value - true_slope(1.0, n)) <= bound
assert bound > abs(true_slope(1.0, 20))

# %% [markdown] en="fe275b5b"
# 看最后一行。误差界比值本身还大：这位裁判说的是*我不知道*，而这是实话。诚实的裁判需要三种判决，而不是两种。
#
# ### 练习 4.2：三种判决
#
# 请写出 `verdict_on(backward, numerical, bound)`。`backward` 是要评判的梯度；真正的梯度在 numerical ± bound 之内，除此以外我们什么也不知道。请返回
#
# * `"fail"`：`backward` 落在 numerical ± bound 之外；
# * `"pass"`：落在里面，而且 bound 不超过 `numerical` 大小的千分之一；
# * `"unresolved"`：落在里面，但 bound 比那要大。
#
# 三个数同乘以 1e-100，判决应当不变。


# %% tags=["exercise"]
def verdict_on(backward, numerical, bound):
    """对一个梯度的判决："pass"、"fail" 或 "unresolved"。"""
    ...


# %% tags=["solution"]
def verdict_on(backward, numerical, bound):
    """对一个梯度的判决："pass"、"fail" 或 "unresolved"。"""
    if abs(backward - numerical) > bound:
        return "fail"
    return "pass" if bound <= abs(numerical) / 1000 else "unresolved"


# %% tags=["check"]
with check("4.2", hint="先看：落在外面吗？再看：bound 与 |numerical| 相比够小吗？不要拿任何固定的数去比。"):
    answered(verdict_on)
    cases = [
        (2.0, 2.0, 1e-6, "pass"),
        (2.0, 2.0000001, 1e-6, "pass"),
        (2.01, 2.0, 1e-6, "fail"),
        (1.99, 2.0, 1e-6, "fail"),
        (2.0, 2.1, 0.5, "unresolved"),
        (2.0, -0.1, 5.0, "unresolved"),
        (20.0, 2.1, 0.5, "fail"),
        (0.0, 2.0, 1e-6, "fail"),
    ]
    for scale in (1.0, -1.0, 1e-11, -1e-11, 1e-100, 1e50):
        for g, n, bound, due in cases:
            three = g * scale, n * scale, bound * abs(scale)
            said = verdict_on(*three)
            assert said == due, "backward 为 {:.3g}，numerical 为 {:.3g} ± {:.1g} 时，{!r} 不对".format(*three, said)

# %% [markdown] en="411981de"
# ## 不做减法
#
# 麻烦全出在 f(x + h) − f(x − h) 里的那个减号上。有没有办法推了一下却不用减？有，而且是数值计算里最可爱的妙招之一：往*旁边*推。
#
# 复数还有第二个部分，叫虚部，其中 i² = −1。我们推 i·h。对于光滑的 f，
#
# $$f(x + ih) = f(x) + ih \cdot f'(x) - \tfrac12 h^2 \cdot f''(x) - \ldots$$
#
# 值在实部里，斜率在虚部里，而且是*单独*待着的。要取它出来，什么也不用减。这叫做**复步**法（complex step）。

# %%
h = 1e-20
nudged = deep(1.0 + h * 1j, 15)
print(f"实部：     {nudged.real:.16f}   就是值")
print(f"虚部 / h： {nudged.imag / h:.16e}")
print(f"真正的斜率：{true_slope(1.0, 15):.16e}")

# %% tags=["hidden"]
assert abs(nudged.imag / h / true_slope(1.0, 15) - 1) < 1e-13
assert all(abs(deep(1.0 + 1e-20j, n).imag / 1e-20 / true_slope(1.0, n) - 1) < 1e-13 for n in range(1, 60))

# %% [markdown] en="4eafbd8c"
# 隔了 15 个神经元，差分已经一位都不对，复步却有 13 位以上是对的。而步长只有 1e-20：想取多小就取多小，不做减法，就没有什么会被舍入掉。
#
# ### 练习 4.3：复步
#
# 把它写成一个函数：f 能用复数计算，`complex_step(f, x)` 就给出 f′(x)。对任何光滑的 f，都应当有 12 位是对的，哪怕 f′ 小得可怜。


# %% tags=["exercise"]
def complex_step(f, x):
    """用复步求 f 在 x 处的导数。"""
    ...


# %% tags=["solution"]
def complex_step(f, x):
    """用复步求 f 在 x 处的导数。"""
    tiny = 1e-20
    return f(x + 1j * tiny).imag / tiny


# %% tags=["check"]
with check("4.3", hint="在 x + ih 处调用一次 f，要找的东西在 .imag 里。这里 h 取得小，不必付出任何代价。"):
    answered(complex_step)
    subjects = {
        "sin(50x)": (lambda x: np.sin(50 * x), lambda x: 50 * np.cos(50 * x)),
        "1e-30·exp(x)": (lambda x: 1e-30 * np.exp(x), lambda x: 1e-30 * np.exp(x)),
        "deep(x, 15)": (lambda x: deep(x, 15), lambda x: true_slope(x, 15)),
        "5 + x³": (lambda x: 5 + x**3, lambda x: 3 * x**2),
    }
    for name, (f, slope) in subjects.items():
        for x in (0.3, 0.7, 1.9):
            found, due = complex_step(f, x), slope(x)
            assert np.isrealobj(found), f"这里的导数是一个实数，而不是 {found!r:.60}"
            assert math.isclose(found, due, rel_tol=1e-12), f"{name} 在 {x} 处：你得到 {found:.15g}，应当是 {due:.15g}"

# %% [markdown] en="8313f44d"
# ## 复步什么时候撒谎
#
# 裁判也要受裁判。f 必须*一路光滑*，在复数里也是如此。下面两个函数，对每个实数 x 都相等。它们的复步也相等吗？

# %%
for name, f in (("x³ + x²", lambda x: x**3 + x**2), ("x³ + |x|²", lambda x: x**3 + np.abs(x) ** 2)):
    print(f"{name:9} 在 1 处：复步得 {f(1.0 + 1e-20j).imag / 1e-20:.1f}，差分得 {central(f, 1.0, 1e-5):.1f}")

# %% tags=["hidden"]
assert np.isclose((1.0 + 1e-20j) ** 3 + np.abs(1.0 + 1e-20j) ** 2, 2)
assert math.isclose(((1.0 + 1e-20j) ** 3 + np.abs(1.0 + 1e-20j) ** 2).imag / 1e-20, 3.0)

# %% [markdown] en="171c5f8c"
# |x| 看的是复数的长度，把虚部丢掉了。斜率里属于它的那一份也跟着丢掉，一声不响。所以两位裁判单独用都不够：差分诚实，但是近视；复步能一眼看到海底，却会受骗。*合在一起*，它们就很强。
#
# ## 一行全搞定
#
# 我们一步步做的事，`vg.check_gradients` 都会做。它把反向传播的结果逐个元素地与带误差界的差分相比。差分说不清的，再去问复步，但有两个条件：沿途每个运算都已知是光滑的，才去问；两者互不矛盾，才相信。里面没有任何绝对容差。
#
# 下面用它来检验 15 个神经元排成的一串，对每一个权重都检验。


# %%
def row(weights):
    a = 1.0
    for k in range(15):
        a = vg.sigmoid(weights[k] * a)
    return a


report = vg.check_gradients(row, np.full(15, 0.8))
print(report)

# %% tags=["hidden"]
(found,) = report.inputs
assert found.checked == 15
assert found.decided["complex step"] >= 2
assert found.decided["finite difference"] >= 8
assert 1e-11 < found.smallest < 2e-11
assert found.largest > 0.1

# %% [markdown] en="c23d9d76"
# 这份报告从左往右读：15 个元素检验了 15 个，全部通过；它们的大小跨了十个数量级，最小的是 1.5e-11；下面一行说的是由谁裁定：较大的由差分，最小的那几个由复步。
#
# 现在把 15 个当中的一个弄坏：第八个神经元忘了一个因子，把 a(1 − a) 当成了 a。


# %%
def forgetful_rule(g, out, z):
    return g * out


forgetful_sigmoid = vg.primitive(
    lambda z: 1 / (1 + np.exp(-z)), (forgetful_rule,), name="forgetful_sigmoid", analytic=True
)


def broken_row(weights):
    a = 1.0
    for k in range(15):
        a = (forgetful_sigmoid if k == 7 else vg.sigmoid)(weights[k] * a)
    return a


report = vg.check_gradients(broken_row, np.full(15, 0.8), raises=False)
(found,) = report.inputs
for verdict, count in found.counts.items():
    print(f"{verdict}: {count}")
print("出错的节点：", report.culprit)

# %% tags=["hidden"]
assert {str(verdict): count for verdict, count in found.counts.items() if count} == {"pass": 7, "fail": 8}
assert report.culprit.startswith("forgetful_sigmoid")
assert f"{vg.check_gradients(row, np.full(15, 0.8)).inputs[0].smallest:.1e}" == "1.5e-11"

# %% [markdown] en="15480662"
# 七个权重通过，八个不通过。是哪七个？是坏神经元与终点之间的那些：反向传播从终点那边来，走到那里时还没有出错。而且报告还点出了一个名字。它把每个节点单独拿出来看，在那里所有的数都是平常大小，于是找出了规则不对的那一个。（`vg.certify_backward` 专做这件事，多深都行。）
#
# ## 尖点
#
# 并不是每个函数处处都有导数。**ReLU**，即 max(0, z)，在许多网络里取代了 sigmoid；它在 0 处有一个**尖点**（kink）：左边斜率是 0，右边斜率是 1。三位裁判在那里会怎么说：反向传播、中心差分、前向差分？

# %%
print("反向传播：", vg.grad(vg.relu)(0.0))
print("中心差分：", central(vg.relu, 0.0, 1e-5))
print("前向差分：", forward(vg.relu, 0.0, 1e-5))
report = vg.check_gradients(vg.relu, 0.0, raises=False)
print(*[str(verdict) for verdict, count in report.inputs[0].counts.items() if count])

# %% tags=["hidden"]
assert (vg.grad(vg.relu)(0.0), central(vg.relu, 0.0, 1e-5), forward(vg.relu, 0.0, 1e-5)) == (0, 0.5, 1)
assert [str(verdict) for verdict, count in report.inputs[0].counts.items() if count] == ["kink"]
assert vg.check_gradients(vg.relu, 0.0, kinks=True)

# %% [markdown] en="51c8476b"
# 三位裁判，三个答案，而且没有一个错：0、0.5 和 1 都在左右两个斜率之间。是这个问题本身没有答案。所以它有一个专门的判决，叫 *kink*（尖点），要等你说明自己料到这里有尖点（`kinks=True`），它才算通过。实际检验时，点是随机取的，碰上尖点的概率是零。而 0 这样的整数可不是随机取的点。
#
# ## 让别人去找那个点
#
# 所有这些检验有一个共同的弱点：*我们*看哪里，它们才看哪里。下面这个函数的规则是我们自己写的：softabs(x) = √(1 + x²)，一个光滑的 |x|。它的斜率是 x/√(1 + x²)。我们用最好的差分在三个点上检验它，一个正的，一个负的，一个很大的。


# %%
def softabs_value(x):
    return np.sqrt(1 + x * x)


def softabs_rule(g, out, x):
    return x / out  # 这一行里有一个错误


softabs = vg.primitive(softabs_value, (softabs_rule,), name="softabs", analytic=True)

for x in (0.3, -1.2, 50.0):
    print(f"在 {x:5} 处：反向传播 {vg.grad(softabs)(x):.10f}，差分 {central(softabs_value, x, 1e-5):.10f}")

# %% tags=["hidden"]
for x in (0.3, -1.2, 50.0):
    assert math.isclose(vg.grad(softabs)(x), central(softabs_value, x, 1e-5), rel_tol=1e-7)

# %% [markdown] en="13d1b8bd"
# 三次都对。可它里面确实有一个错误，也许你已经看出来了。要是看不出来，又想把它找到，就把寻找这件事交出去。**Hypothesis** 是一个专门编造例子的库：我们告诉它例子是什么样子，以及所有例子都应当满足什么。`strategies.expressions` 会编造一些小程序，让 softabs 和别的运算搭配在一起；应当满足的，是反向传播与复步一致。

# %%
tried = []


def goes_wrong(program):
    (x,) = program.leaves
    backward, exact = vg.grad(program)(x), program(x + 1e-20j).imag / 1e-20
    wrong = abs(backward - exact) > 1e-9 * abs(exact)
    tried.append((program, wrong))
    return wrong


programs = strategies.expressions(
    ops=["{0} + {1}", "{0} * {1}", "np.sin({0})", softabs], leaves=(1, 1), nodes=(1, 4), max_dims=0
)
smallest = find(programs, goes_wrong, settings=settings(derandomize=True, database=None, deadline=None))
first_found = next(program for program, wrong in tried if wrong)
print(f"试过的程序：{len(tried)} 个")
print(f"第一个出错的：{first_found}")
print(f"最小的一个：　{smallest}")

# %% tags=["hidden"]
assert 1 <= len(smallest.steps) <= 2 < len(first_found.steps) + 1
assert len(tried) < 2000

# %% [markdown] en="10936ed3"
# Hypothesis 做了两件事。先是**找到**了一个程序，反向传播在它上面出错。然后把它**缩小**：只要还会出错，就一行一行地删，把数也换成更整的。最后剩下一两行，差不多是最小的了：softabs(x)，再加上例如 t0 + t0 这样一行。
#
# 这么说，单独一个 softabs 是对的，两个 softabs 相加就错了。差别在哪里？在消息。单独用的时候，softabs 是图的终点，来到它的规则那里的消息是 1。在 t0 + t0 里，消息是 2。而那条规则从来没有看过消息一眼。
#
# ### 练习 4.4：把它修好
#
# 请写出正确的规则：它收到消息 g（余切向量）、值 `out` 和自变量 x，给出要传给 x 的消息。


# %% tags=["exercise"]
def mended_rule(g, out, x):
    """当 out = √(1 + x²) 收到 g 时，要传给 x 的消息。"""
    ...


# %% tags=["solution"]
def mended_rule(g, out, x):
    """当 out = √(1 + x²) 收到 g 时，要传给 x 的消息。"""
    return g * x / out


# %% tags=["check"]
with check("4.4", hint="右边的 grad 乘以局部导数，就是左边的 grad：这条规则里少了什么？"):
    answered(mended_rule)
    mended = vg.primitive(softabs_value, (mended_rule,), name="mended", analytic=True)
    rng = np.random.default_rng(44)
    for x in rng.uniform(0.2, 3, size=10) * rng.choice([-1, 1], size=10):
        for text, f in (
            ("softabs(x)", mended),
            ("softabs(x) + softabs(x)", lambda x: mended(x) + mended(x)),
            ("-3·softabs(x)", lambda x: -3 * mended(x)),
            ("sin(softabs(softabs(x)))", lambda x: np.sin(mended(mended(x)))),
        ):
            backward, exact = vg.grad(f)(x), f(x + 1e-20j).imag / 1e-20
            assert math.isclose(backward, exact, rel_tol=1e-9), (
                f"{text} 在 x = {x:.2f} 处：反向传播得 {backward:.6f}，复步得 {exact:.6f}"
            )

# %% [markdown] en="ff6fb1f7"
# 这里有一条教训，对各种检验都适用。我们送的消息一直是 1，而 1 恰恰是那个能把漏掉的因子藏起来的数。`vg.check_gradients` 送的是*随机*的余切向量，从不全是 1。所以这个错误，它在第一个点上就能看见：

# %%
report = vg.check_gradients(softabs, 0.3, raises=False)
print(report.inputs[0].worst.verdict, "出错的节点：", report.culprit)

# %% tags=["hidden"]
assert not report
assert report.culprit.startswith("softabs")

# %% [markdown] en="53148f74"
# ## 这一课带走什么
#
# * 差分有两种错：步子大了有**截断**误差，步子小了有**舍入**误差。中心差分，h 取 1e-5 左右，就到了 U 的底。
# * 要比**相对**的差。梯度很小的时候，绝对容差是瞎的。
# * 隔了 15 个神经元，差分就什么也说不出来了。有了**误差界**，它会承认这一点；而**复步**不做减法，仍然看得见。
# * 尖点是没有答案的问题；料到有尖点，就要说出来。
# * 例子让 **Hypothesis** 去挑；还有，永远不要只送 1。
# * `vg.check_gradients(f, *inputs)` 把这一切放进一行。你写的每一个导数，都请用它检验。
#
# 我们的梯度检验过了，从现在起可以信任它们。有了信得过的梯度，能做什么呢？让网络学会认字：这是第 5 课。
