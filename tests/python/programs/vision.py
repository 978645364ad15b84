"""Networks that see: convolutions, residuals, patches, segmentation."""

from __future__ import annotations

from .training import train

__all__ = ["convolutional_network", "residual_network", "segmentation", "vision_transformer"]


def images(lib, count=12, channels=1, size=12):
    """Noise with a bright square whose place is the class."""
    labels = lib.randint(0, 4, (count,))
    pictures = lib.randn(count, channels, size, size) * 0.3
    for picture, label in zip(pictures, labels.tolist()):
        row, column = divmod(label, 2)
        picture[:, row * 6 : row * 6 + 6, column * 6 : column * 6 + 6] += 1.0
    return pictures, labels


def convolutional_network(lib):
    """Convolutions, dropout and batches of a loader, as for handwritten digits."""
    nn, F, data = lib.nn, lib.nn.functional, lib.utils.data

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 6, 3), nn.Conv2d(6, 8, 3, padding=1)
            self.dropout = nn.Dropout(0.25)
            self.fc1, self.fc2 = nn.Linear(8 * 5 * 5, 16), nn.Linear(16, 4)

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
            x = self.dropout(lib.flatten(x, 1))
            return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)

    loader = data.DataLoader(data.TensorDataset(*images(lib, 24)), batch_size=8, shuffle=True)
    model = Net()
    optimizer = lib.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = lib.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    curve = []
    for _ in range(2):
        for batch, target in loader:
            curve += train(optimizer, lambda: F.nll_loss(model(batch), target), 1)
        scheduler.step()
    model.eval()
    with lib.no_grad():
        batch, target = loader.dataset[:]
        curve.append(model(batch).argmax(dim=1).eq(target).sum().item())
    return curve


def residual_network(lib):
    """Residual blocks with batch normalisation, momentum, decay and a cosine schedule."""
    nn = lib.nn

    class Block(nn.Module):
        def __init__(self, before, after, stride):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(before, after, 3, stride, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
                nn.Conv2d(after, after, 3, 1, 1, bias=False),
                nn.BatchNorm2d(after),
            )
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

        def forward(self, x):
            out = self.body(x)
            out += self.shortcut(x)
            return nn.functional.relu(out)

    model = nn.Sequential(Block(1, 4, 1), Block(4, 8, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    scheduler = lib.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    pictures, labels = images(lib)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    curve = train(optimizer, lambda: criterion(model(pictures), labels), 5, scheduler.step)
    model.eval()
    return curve + [criterion(model(pictures), labels).item()]


def vision_transformer(lib):
    """Patches as words of a transformer, whose first word is a learnt one."""
    nn = lib.nn

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Conv2d(1, 16, kernel_size=4, stride=4)
            self.first = nn.Parameter(lib.zeros(1, 1, 16))
            self.places = nn.Parameter(lib.randn(1, 10, 16) * 0.02)
            layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, activation="gelu", batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 4))

        def forward(self, x):
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = lib.cat((self.first.expand(x.shape[0], -1, -1), x), dim=1) + self.places
            return self.head(self.encoder(x)[:, 0])

    model = Transformer()
    optimizer = lib.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    scheduler = lib.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=6)
    pictures, labels = images(lib)
    return train(optimizer, lambda: nn.functional.cross_entropy(model(pictures), labels), 5, scheduler.step)


def segmentation(lib):
    """Down and up again with a connection across, a class for every pixel."""
    nn = lib.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.SiLU())
            self.middle = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1), nn.SiLU())
            self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
            self.out = nn.Conv2d(8, 2, 1)

        def forward(self, x):
            near = self.down(x)
            return self.out(lib.cat([self.up(self.middle(near)), near], dim=1))

    model, (pictures, _) = Net(), images(lib, 4)
    masks = (pictures[:, 0] > 0.5).long()

    def loss():
        logits = model(pictures)
        chance = logits.softmax(1)[:, 1]
        dice = 1 - (2 * (chance * masks).sum() + 1) / (chance.sum() + masks.sum() + 1)
        return nn.functional.cross_entropy(logits, masks, weight=lib.tensor([0.3, 0.7])) + dice

    return train(lib.optim.RMSprop(model.parameters(), lr=1e-2), loss, 5)
