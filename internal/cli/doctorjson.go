package cli

import (
	"time"

	"github.com/yanmail/yan/internal/doctor"
)

// doctorJSON is what yan doctor --json prints.
type doctorJSON struct {
	Status   string           `json:"status"` // "ok", "warning", "failed" or "interrupted"
	Exit     int              `json:"exit"`
	Server   string           `json:"server"`
	Provider string           `json:"provider,omitempty"`
	Account  string           `json:"account,omitempty"`
	From     string           `json:"from,omitempty"`
	Took     float64          `json:"took_ms"`
	Steps    []doctorStepJSON `json:"steps"`
	Next     *doctorNextJSON  `json:"next,omitempty"`
}

type doctorStepJSON struct {
	Name     string  `json:"name"`
	Target   string  `json:"target,omitempty"`
	Status   string  `json:"status"`
	Took     float64 `json:"took_ms,omitempty"`
	Stage    string  `json:"stage,omitempty"`
	Code     int     `json:"code,omitempty"`
	Enhanced string  `json:"enhanced,omitempty"`
	Text     string  `json:"text,omitempty"`
	Error    string  `json:"error,omitempty"`

	Detail    textJSON       `json:"detail"`
	Advice    *textJSON      `json:"advice,omitempty"`
	Facts     doctor.Facts   `json:"facts,omitzero"`
	Diagnosis *diagnosisJSON `json:"diagnosis,omitempty"`
}

type doctorNextJSON struct {
	Step   string   `json:"step"`
	Target string   `json:"target,omitempty"`
	Why    textJSON `json:"why"`
	Do     textJSON `json:"do"`
}

func (c *consultation) printJSON(r doctor.Report, next doctor.Step, wrong bool, code int) {
	j := doctorJSON{Status: string(r.Worst()), Exit: code, Server: r.Server.String(), Provider: r.Server.Provider.ID,
		From: c.from.String(), Took: milliseconds(r.Took), Steps: []doctorStepJSON{}}
	if c.patient.configured {
		j.Account = c.patient.Name
	}
	if r.Interrupted {
		j.Status, j.Exit = "interrupted", exitTemporary
	}
	for _, s := range r.Steps {
		j.Steps = append(j.Steps, newDoctorStep(c.worded(s)))
	}
	if wrong && !r.Interrupted {
		why, do := c.advice(next)
		j.Next = &doctorNextJSON{Step: string(next.Name), Target: next.Target, Why: textJSON(why), Do: textJSON(do)}
	}
	c.a.printJSON(j)
}

func newDoctorStep(s doctor.Step) doctorStepJSON {
	j := doctorStepJSON{Name: string(s.Name), Target: s.Target, Status: string(s.Status), Took: milliseconds(s.Took),
		Detail: textJSON(s.Detail), Advice: optionalText(s.Advice), Facts: s.Facts}
	if s.Status != doctor.Failed {
		return j
	}
	o := s.Outcome
	j.Stage, j.Code, j.Enhanced, j.Text = string(o.Stage), o.Reply.Code, o.Reply.Enhanced.String(), o.Reply.Text()
	if o.Err != nil {
		j.Error = o.Err.Error()
	}
	if s.Finding.Class != "" {
		j.Diagnosis = newDiagnosis(s.Finding)
	}
	return j
}

// milliseconds has a precision of a microsecond.
func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
