package outboxtest_test

import (
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/outboxtest"
)

var _ outbox.Store = (*outboxtest.Model)(nil)
