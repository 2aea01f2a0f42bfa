package daemon

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/telemetry"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// spanRecorder keeps spans without an SDK.
type spanRecorder struct {
	embedded.Tracer
	spans []*recordedSpan
}

type recordedSpan struct {
	noop.Span
	name       string
	start, end trace.SpanConfig
	code       codes.Code
	text       string
}

func (r *spanRecorder) Start(ctx context.Context, name string, o ...trace.SpanStartOption) (context.Context, trace.Span) {
	s := &recordedSpan{name: name, start: trace.NewSpanStartConfig(o...)}
	r.spans = append(r.spans, s)
	return ctx, s
}

func (s *recordedSpan) SetStatus(c codes.Code, text string) { s.code, s.text = c, text }

func (s *recordedSpan) End(o ...trace.SpanEndOption) { s.end = trace.NewSpanEndConfig(o...) }

func (s *recordedSpan) attributes() map[attribute.Key]string {
	m := map[attribute.Key]string{}
	for _, kv := range s.start.Attributes() {
		m[kv.Key] = kv.Value.String()
	}
	return m
}

func TestSpanOfAnAttempt(t *testing.T) {
	t.Parallel()
	began := time.Unix(1767225600, 0)
	e := delivery.WorkerEvent{Kind: delivery.Settled, Account: "work", ID: 17, N: 1, Domain: "example.org", State: queue.HandedOver, Attempt: 2,
		Size: 1234, Began: began, Took: 2 * time.Second,
		Answer: queue.Answer{Stage: smtp.StageBody, Class: "accepted", Reply: smtp.Reply{Code: 250, Enhanced: smtp.EnhancedCode{Class: 2}}}}
	r := &spanRecorder{}
	telemetry.RecordAttempt(r, e)
	e.State, e.Answer.Class = queue.Failed, "mailbox_unknown"
	telemetry.RecordAttempt(r, e)
	for _, kind := range eventKinds() {
		if kind != delivery.Settled {
			telemetry.RecordAttempt(r, delivery.WorkerEvent{Kind: kind, Began: began})
		}
	}
	if len(r.spans) != 2 {
		t.Fatalf("%d spans of 2 attempts", len(r.spans))
	}
	good, bad := r.spans[0], r.spans[1]
	if good.name != "send work" || !good.start.Timestamp().Equal(began) || !good.end.Timestamp().Equal(began.Add(2*time.Second)) ||
		good.start.SpanKind() != trace.SpanKindClient || good.code != codes.Unset {
		t.Errorf("the span: %+v", good)
	}
	want := map[attribute.Key]string{"messaging.operation.type": "send", "messaging.operation.name": "send", "network.protocol.name": "smtp",
		"messaging.message.id": "17", "messaging.message.body.size": "1234", "yan.account": "work", "yan.state": "handed_over",
		"yan.attempt": "2", "yan.recipient.number": "1", "yan.recipient.domain": "example.org", "yan.smtp.stage": string(smtp.StageBody),
		"yan.smtp.code": "250", "yan.smtp.enhanced_code": "2.0.0"}
	if got := good.attributes(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("attributes:\n%v, want\n%v", got, want)
	}
	if bad.code != codes.Error || bad.text != "failed" || bad.attributes()["error.type"] != "mailbox_unknown" {
		t.Errorf("of one that failed: %+v", bad)
	}
}

// The daemon passes every event to its tracer, and no span holds an address or a secret.
func TestSpansSayNothingTheyMustNot(t *testing.T) {
	t.Parallel()
	spans := &spanRecorder{}
	r := startDaemon(t, func(o *Options) { o.Tracer = spans })
	for _, e := range eventsWithSecrets() {
		r.o.Observe(e)
	}
	if len(spans.spans) != len(queue.States()) {
		t.Fatalf("%d spans", len(spans.spans))
	}
	for _, s := range spans.spans {
		told := s.name + s.text + fmt.Sprint(s.attributes())
		for _, word := range secretWords {
			if strings.Contains(told, word) {
				t.Errorf("a span holds %q: %s", word, told)
			}
		}
	}
	for _, word := range secretWords {
		if strings.Contains(r.log.String(), word) {
			t.Errorf("the log holds %q", word)
		}
	}
}
