"""Section 4 of the notes: `no_grad()` and `detach()` leave the graph alone."""

import rgrad as torch

# The tensors of section 2.
x = torch.ones(5)  # input tensor
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)

# Section 4.
z = torch.matmul(x, w)+b
print(z.requires_grad) # True

with torch.no_grad():
    z = torch.matmul(x, w)+b
print(z.requires_grad) # False

z = torch.matmul(x, w)+b
z_det = z.detach()
print(z_det.requires_grad) # False
