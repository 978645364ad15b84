"""The last snippet of the notes: a forward pass without a graph. It prints nothing."""

import rgrad as torch

# The tensors of section 2.
x = torch.ones(5)  # input tensor
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)

# The snippet.
with torch.no_grad():
	# 연산 그래프 추적 멈추는 기능
	# 순전파의 경우를 떠올려보자
    z = torch.matmul(x, w)+b
