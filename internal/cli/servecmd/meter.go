package servecmd

import (
	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/telemetry/metrics"
)

func newMeter() daemon.Meter { return metrics.New() }
