"""The scoring runtime. It imports nothing else of mlplan: any environment or image can carry it."""
