<?php
// Sends one message with PHP's mail() or PEAR Mail, from the environment of
// python.py:
//
//	php mail.php mail|sendmail|smtp
$text = stream_get_contents(STDIN);
$subject = '=?UTF-8?B?' . base64_encode(getenv('SUBJECT')) . '?=';
if ($argv[1] === 'mail') {
	$headers = ['Content-Type' => 'text/plain; charset=UTF-8'] + (getenv('FROM') ? ['From' => getenv('FROM')] : []);
	if (!mail(getenv('TO'), $subject, $text, $headers)) {
		fwrite(STDERR, "mail() is false\n");
		exit(1);
	}
	exit(0);
}
require 'Mail.php';
$options = $argv[1] === 'sendmail' ? ['sendmail_path' => '/usr/sbin/sendmail'] : ['host' => getenv('HOST'), 'port' => getenv('PORT')]
	+ (getenv('LOGIN') ? ['auth' => true, 'username' => getenv('LOGIN'), 'password' => getenv('SECRET')] : []);
$headers = ['From' => getenv('FROM'), 'To' => getenv('TO'), 'Subject' => $subject];
$sent = Mail::factory($argv[1], $options)->send(getenv('TO'), $headers, $text);
if ($sent !== true && getenv('AGAIN')) {
	$sent = Mail::factory($argv[1], $options)->send(getenv('TO'), $headers, $text);
}
if ($sent !== true) {
	fwrite(STDERR, $sent->getMessage() . "\n");
	exit(1);
}
