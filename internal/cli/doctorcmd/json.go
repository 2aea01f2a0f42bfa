package doctorcmd

import (
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/doctor"
)

func (c *doctorReport) printJSON(r doctor.ExamReport, next doctor.Step, wrong bool, code int) {
	j := jsonout.Doctor{Status: string(r.Worst()), Exit: code, Server: r.Server.String(), Provider: r.Server.Provider.ID,
		From: c.from.String(), Took: milliseconds(r.Took), Steps: []jsonout.DoctorStep{}}
	if c.patient.configured {
		j.Account = c.patient.Name
	}
	if r.Interrupted {
		j.Status, j.Exit = "interrupted", command.ExitTemporary
	}
	for _, s := range r.Steps {
		j.Steps = append(j.Steps, newDoctorStep(c.withSecretError(s)))
	}
	if wrong && !r.Interrupted {
		why, do := c.stepAdvice(next)
		j.Next = &jsonout.DoctorNext{Step: string(next.Name), Target: next.Target, Why: jsonout.Bilingual(why), Do: jsonout.Bilingual(do)}
	}
	c.a.PrintJSON(j)
}

func newDoctorStep(s doctor.Step) jsonout.DoctorStep {
	j := jsonout.DoctorStep{Name: string(s.Name), Target: s.Target, Status: string(s.Status), Took: milliseconds(s.Took),
		Detail: jsonout.Bilingual(s.Detail), Advice: verdict.OptionalText(s.Advice), Facts: s.Facts}
	if s.Status != doctor.Failed {
		return j
	}
	o := s.Outcome
	j.Stage, j.Code, j.Enhanced, j.Text = string(o.Stage), o.Reply.Code, o.Reply.Enhanced.String(), o.Reply.Text()
	if o.Err != nil {
		j.Error = o.Err.Error()
	}
	if s.Finding.Class != "" {
		j.Diagnosis = verdict.NewDiagnosis(s.Finding)
	}
	return j
}

// milliseconds converts a duration, rounded to a microsecond.
func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
