"""Section 3 of the notes: `backward()` fills in the gradients of the leaves."""

import rgrad as torch

# The graph of section 2.
x = torch.ones(5)  # input tensor
y = torch.zeros(3)  # expected output
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w)+b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)

# Section 3.
loss.backward()
print(w.grad)
print(b.grad)
