"""What the tour says, in English and Chinese; ``{names}`` are filled with what was measured."""

from __future__ import annotations

__all__ = ["TEXTS"]

_EN = {
    "lang": "en",
    "title": "Why deep networks are hard to train",
    "lead": (
        "A network of {sizes} sigmoid neurons with {parameters} parameters, {images} handwritten digits, seed {seed}: what "
        "backprop says about it, checked, drawn and measured on this machine in {seconds} seconds."
    ),
    "step_check": "Check the gradients",
    "step_draw": "Draw the backprop graphs",
    "step_speed": "Measure ‖δ‖ at initialisation, {seeds} seeds",
    "step_train": "Train, {epochs} epochs",
    "check_title": "Every derivative is checked",
    "check_text": (
        "Backprop's gradient is compared with finite differences on {digits} digits: all biases, and {sample} randomly "
        "drawn weights of each layer ({checked} of {parameters} parameters). The largest relative error of those that agree is {worst}. There is "
        "no absolute tolerance: a difference must be explained by the measured error of the finite difference itself."
    ),
    "check_zero": (
        "{zeros} of the sampled weights have a gradient of exactly 0 and the cost does not move with them by a single bit: "
        "their pixel is 0 in all {digits} images. They are counted apart."
    ),
    "check_failed": "The check did NOT pass: {failed} gradients are wrong, see the table.",
    "check_unresolved": (
        "{unresolved} gradients are so small against the cost that finite differences in double precision cannot tell "
        "whether they are right. They are not counted as agreeing."
    ),
    "columns_check": (
        "array|shape|checked|agree|zero|unresolved|kink|wrong|size of the gradient|largest error|bound of it"
    ),
    "chain_title": "The chain that makes gradients vanish",
    "chain_text": (
        "Four sigmoid neurons in a row. Every arrow back carries its local derivative, and the gradient of b₁ (framed) is the "
        "product of all arrows on its way. Each step back through a neuron multiplies by wσ′(z), and σ′ is never larger than ¼: "
        "here ∂C/∂b₁ = {first} while ∂C/∂b₄ = {last}, {ratio} times as large."
    ),
    "network_title": "The same in the network",
    "network_text": (
        "One box a layer, for the first {digits} digits. Follow ‖∂C/∂b‖, the bars at the bottom (on a log scale; orange where "
        "larger than 1), from the cost on the right to the first layer on the left. C is the cross-entropy, computed from "
        "the last layer's z; y is 1 where the output should be 1, and 0 elsewhere."
    ),
    "speed_title": "How fast does each layer learn?",
    "speed_text": (
        "‖δ‖ is the norm of the mean gradient of a hidden layer's biases over {images} digits. The book shows one run; the "
        "range over seeds says what to expect of another."
    ),
    "increasing_text": "At initialisation ‖δ‖ grows towards the output in {increasing} of {seeds} seeds.",
    "columns_speed": "hidden layer|‖δ‖, seed {seed}|median, {seeds} seeds|5 – 95 % of seeds|book, one run",
    "train_text": (
        "Gradient descent on all {images} digits at once, η = {rate}, λ = {decay} (n = {images}): the cost goes from "
        "{cost_first} to {cost_last}, the accuracy on {images} other digits reaches {accuracy} % (guessing gives 10 %)."
    ),
    "columns_ratio": "epoch|‖δ‖ last ÷ first hidden layer|book, one run",
    "no_book": "The book has no such network; its runs have 2, 3 and 4 hidden layers of 30 neurons.",
    "plot_x": "epoch",
    "plot_y": "‖δ‖, learning speed (log scale)",
    "plot_line": "hidden layer {layer}",
    "plot_description": (
        "Norm of the bias gradient of each hidden layer over {epochs} epochs. At the start the last hidden layer learns "
        "{start} times as fast as the first, at the end {end} times."
    ),
    "next_title": "Go on",
    "next_text": "A few lines that build a network, measure its gradients and draw it:",
    "next_rerun": "The same tour with another depth:",
    "wrote": "The report is in {path}",
    "open_hint": "open it in a browser, or run the tour again with --open",
    "interrupted": "Interrupted: the report shows what was done until then, {epochs} epochs.",
}

_ZH = {
    "lang": "zh-CN",
    "title": "深度神经网络为何难以训练",
    "lead": (
        "一个 {sizes} 的 sigmoid 神经网络，{parameters} 个参数，{images} 张手写数字，随机种子 {seed}："
        "反向传播算出的梯度，在这台机器上用 {seconds} 秒检验、画出并测量了一遍。"
    ),
    "step_check": "检验梯度",
    "step_draw": "画出反向传播图",
    "step_speed": "测量初始时的 ‖δ‖，{seeds} 个种子",
    "step_train": "训练 {epochs} 个 epoch",
    "check_title": "每个导数都经过检验",
    "check_text": (
        "用 {digits} 张数字图片，把反向传播的梯度与有限差分逐个比较：所有偏置，以及每层随机抽取的 {sample} 个权重"
        "（{parameters} 个参数中的 {checked} 个）。一致者中最大的相对误差为 {worst}。这里没有绝对容差："
        "两者之差必须能由有限差分自身测得的误差来解释。"
    ),
    "check_zero": (
        "抽到的权重中有 {zeros} 个的梯度恰好为 0，改变它们时代价函数一个比特也不变："
        "它们对应的像素在这 {digits} 张图片里都是 0。这些权重单独计数。"
    ),
    "check_failed": "检验没有通过：有 {failed} 个梯度是错的，详见下表。",
    "check_unresolved": (
        "有 {unresolved} 个梯度与代价函数相比太小，双精度的有限差分无法判定它们是否正确；它们不算作一致。"
    ),
    "columns_check": "参数|形状|已检验|一致|为零|无法判定|尖点|错误|梯度大小|最大误差|误差界",
    "chain_title": "让梯度消失的那条链",
    "chain_text": (
        "四个 sigmoid 神经元排成一列。每条反向箭头上写着它的局部导数，b₁ 的梯度就是沿途所有箭头的乘积。"
        "每往回穿过一个神经元，就要乘上一个 wσ′(z)，而 σ′ 从不超过 ¼："
        "这里 ∂C/∂b₁ = {first}，而 ∂C/∂b₄ = {last}，后者是前者的 {ratio} 倍。"
    ),
    "network_title": "整个网络也是如此",
    "network_text": (
        "每层一个方框，输入是前 {digits} 张数字。请看方框底部的横条 ‖∂C/∂b‖（对数刻度，大于 1 时为橙色）："
        "从右端的代价函数出发，一层层向左看到第一层。C 是由最后一层的 z 算出的交叉熵；"
        "期望输出为 1 处 y = 1，其余为 0。"
    ),
    "speed_title": "每一层学得有多快？",
    "speed_text": (
        "‖δ‖ 是某一隐藏层的偏置梯度在 {images} 张数字上取平均之后的范数，也就是这一层的学习速度。"
        "书中只给出一次运行的结果；多个种子的范围告诉我们，换一次运行会看到什么。"
    ),
    "increasing_text": "初始时，{seeds} 个种子中有 {increasing} 个的 ‖δ‖ 朝输出方向逐层增大。",
    "columns_speed": "隐藏层|‖δ‖，种子 {seed}|{seeds} 个种子的中位数|5 – 95 % 的种子|书中的一次运行",
    "train_text": (
        "对全部 {images} 张数字做梯度下降，η = {rate}，λ = {decay}（n = {images}）：代价函数从 {cost_first} 降到 {cost_last}，"
        "在另外 {images} 张数字上的准确率为 {accuracy} %（瞎猜是 10 %）。"
    ),
    "columns_ratio": "epoch|最后一个与第一个隐藏层 ‖δ‖ 之比|书中的一次运行",
    "no_book": "书中没有这样的网络；书里的网络有 2、3、4 个隐藏层，每层 30 个神经元。",
    "plot_x": "epoch",
    "plot_y": "‖δ‖，学习速度（对数坐标）",
    "plot_line": "隐藏层 {layer}",
    "plot_description": (
        "各隐藏层偏置梯度的范数随 {epochs} 个 epoch 的变化。开始时最后一个隐藏层的学习速度是第一个的 {start} 倍，结束时是 {end} 倍。"
    ),
    "next_title": "接下来",
    "next_text": "几行代码，搭建一个网络，测量它的梯度，画出它：",
    "next_rerun": "换一个深度，再走一遍：",
    "wrote": "报告在 {path}",
    "open_hint": "用浏览器打开它，或者加上 --open 再运行一次",
    "interrupted": "已中断：报告只包含到那时为止的 {epochs} 个 epoch。",
}

TEXTS = {"en": _EN, "zh": _ZH}
