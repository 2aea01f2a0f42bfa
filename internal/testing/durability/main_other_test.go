//go:build !linux

package durability

import (
	"os"
	"testing"

	"github.com/yanmail/yan/internal/testing/pgtest"
)

// Processes are killed, stopped and traced on Linux only.
func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
