// Package telemetry logs the events of a delivery and records its attempts as OpenTelemetry spans. It
// uses the API alone: users bring the SDK, or an agent that attaches to the process. Package metrics
// below it counts the events for Prometheus.
package telemetry

import (
	"context"

	"github.com/yanmail/yan/internal/telemetry/redact"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/queue"
)

// Attributes without a name in OpenTelemetry's semantic conventions.
const (
	accountKey  = attribute.Key("yan.account")
	stateKey    = attribute.Key("yan.state")
	attemptKey  = attribute.Key("yan.attempt")
	placeKey    = attribute.Key("yan.recipient.number")
	domainKey   = attribute.Key("yan.recipient.domain")
	stageKey    = attribute.Key("yan.smtp.stage")
	codeKey     = attribute.Key("yan.smtp.code")
	enhancedKey = attribute.Key("yan.smtp.enhanced_code")
)

// RecordAttempt records a span for each Settled event that ended an attempt: one per recipient, from the
// start of its transaction to the reply. It is recorded afterwards, so an attempt during which the
// process died has no span; the outbox records it.
func RecordAttempt(tracer trace.Tracer, e delivery.WorkerEvent) {
	if e.Kind != delivery.Settled || e.Began.IsZero() {
		return
	}
	_, span := tracer.Start(context.Background(), "send "+redact.Text(e.Account), trace.WithTimestamp(e.Began),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(spanAttributes(e)...))
	if e.State != queue.HandedOver {
		span.SetStatus(codes.Error, string(e.State))
	}
	span.End(trace.WithTimestamp(e.Began.Add(e.Took)))
}

func spanAttributes(e delivery.WorkerEvent) []attribute.KeyValue {
	list := []attribute.KeyValue{
		semconv.MessagingOperationTypeSend,
		semconv.MessagingOperationName("send"),
		semconv.NetworkProtocolName("smtp"),
		semconv.MessagingMessageID(e.ID.String()),
		accountKey.String(redact.Text(e.Account)),
		stateKey.String(string(e.State)),
		attemptKey.Int(e.Attempt),
		placeKey.Int(e.N),
		domainKey.String(redact.Domain(e.Domain)),
	}
	if e.Size > 0 {
		list = append(list, semconv.MessagingMessageBodySize(int(e.Size)))
	}
	if e.Answer.Stage != "" {
		list = append(list, stageKey.String(string(e.Answer.Stage)))
	}
	if r := e.Answer.Reply; !r.IsZero() {
		list = append(list, codeKey.Int(r.Code))
		if !r.Enhanced.IsZero() {
			list = append(list, enhancedKey.String(r.Enhanced.String()))
		}
	}
	if e.State != queue.HandedOver && e.Answer.Class != "" {
		list = append(list, semconv.ErrorTypeKey.String(e.Answer.Class))
	}
	return list
}
