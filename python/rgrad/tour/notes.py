"""The code of the study notes, unchanged but for the import line, with a word on each piece."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Snippet:
    """One piece of code, the section of the notes it is from, and what it shows."""

    section: str
    title: str
    code: str
    remark: str


RECORDING = Snippet(
    section="Section 2",
    title="Recording a graph",
    code="""\
import rgrad as torch

x = torch.ones(5)  # input tensor
y = torch.zeros(3)  # expected output
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w)+b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
""",
    remark=(
        "w and b are to be learned, so every operation on them is recorded while it computes: "
        "the graph is there as soon as the loss is."
    ),
)

SNIPPETS = (
    RECORDING,
    Snippet(
        section="Section 2",
        title="What a result remembers",
        code="""\
# input
print(f"Gradient function for z = {z.grad_fn}")
print(f"Gradient function for loss = {loss.grad_fn}")
""",
        remark=("grad_fn is the operation that made a tensor, and knows how to send gradients back to its inputs."),
    ),
    Snippet(
        section="Section 3",
        title="Computing gradients",
        code="""\
loss.backward()
print(w.grad)
print(b.grad)
""",
        remark=(
            "backward() walks the graph from the loss to the leaves. x is all ones, so each row "
            "of w.grad equals b.grad."
        ),
    ),
    Snippet(
        section="Section 4",
        title="Computing without recording",
        code="""\
z = torch.matmul(x, w)+b
print(z.requires_grad) # True

with torch.no_grad():
    z = torch.matmul(x, w)+b
print(z.requires_grad) # False
""",
        remark="Inside of no_grad() nothing is recorded, which saves time and memory.",
    ),
    Snippet(
        section="Section 4",
        title="Detaching a result",
        code="""\
z = torch.matmul(x, w)+b
z_det = z.detach()
print(z_det.requires_grad) # False
""",
        remark="detach() gives the same numbers without their history; z itself keeps its own.",
    ),
    Snippet(
        section="Section 7",
        title="Jacobian products",
        code="""\
inp = torch.eye(4, 5, requires_grad=True)
out = (inp+1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"First call\\n{inp.grad}")


out.backward(torch.ones_like(out), retain_graph=True)
print(f"\\nSecond call\\n{inp.grad}")


inp.grad.zero_()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\\nCall after zeroing gradients\\n{inp.grad}")
""",
        remark=(
            "A result that is no scalar needs a vector to multiply its Jacobian with. Gradients "
            "add up from call to call until they are zeroed."
        ),
    ),
    Snippet(
        section="Closing snippet",
        title="A forward pass alone",
        code="""\
with torch.no_grad():
	# 연산 그래프 추적 멈추는 기능
	# 순전파의 경우를 떠올려보자
    z = torch.matmul(x, w)+b
""",
        remark="The comments read: stops recording the graph; think of a forward pass.",
    ),
)
