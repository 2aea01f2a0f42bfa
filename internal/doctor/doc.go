// Package doctor checks each step that a message takes on its way out and
// reports the first failure and its remedy.
//
//		exam := doctor.Exam{Server: server, Options: options, From: from, Login: login}
//		report := exam.Run(ctx)
//		next, wrong := report.Next()
//
//	  - An [Exam] describes the server and the sender. [Exam.Run] checks the name
//	    of the server, its ports, TLS, its extensions, the login and the sender;
//	    and, at the same time, the DNS of the sender's domain: MX, SRV, SPF,
//	    DKIM, DMARC.
//	  - Each [Step] is reported as it ends, in a fixed order. It has a status,
//	    the findings and the advice, in both languages.
//	  - The [ExamReport] has all steps; [ExamReport.Next] returns the one to act on.
//
// The secret is read only after the server has proved its identity, and is used
// for a single login. No message is sent unless Exam.SendTo is set.
package doctor
