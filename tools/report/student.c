/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "student.h"

#include <math.h>
#include <stdbool.h>

/* From here on t is normal in all digits that a report shows. */
static const double freedom_of_normal = 1e7;

/* One more term of a continued fraction by Lentz's method: numerator over what follows. */
static double lentz(double *c, double *d, double numerator)
{
    const double tiny = 1e-300;
    *d = 1 + numerator * *d;
    *c = 1 + numerator / *c;
    *d = 1 / (fabs(*d) < tiny ? tiny : *d);
    *c = fabs(*c) < tiny ? tiny : *c;
    return *c * *d;
}

/* Abramowitz and Stegun 26.5.8: converges fast where x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 0, fraction = 1;
    for (int m = 0; m < 10000; m++) {
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double even = (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2));
        fraction *= lentz(&c, &d, odd);
        double step = lentz(&c, &d, even);
        fraction *= step;
        if (fabs(step - 1) < 1e-15)
            break;
    }
    return 1 / fraction;
}

/* Without its sign in a global variable, as lgamma() has it. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* The regularised incomplete beta function I_x(a, b); y = 1 - x keeps its digits. */
static double beta(double a, double b, double x, double y)
{
    if (x <= 0 || y <= 0)
        return x <= 0 ? 0 : 1;
    double factor = exp(a * log(x) + b * log(y) + log_gamma(a + b) - log_gamma(a) - log_gamma(b));
    if (x < (a + 1) / (a + b + 2))
        return factor / a * beta_fraction(a, b, x);
    return 1 - factor / b * beta_fraction(b, a, y);
}

double p11prof_student_tail(double t, double freedom)
{
    if (isnan(t) || !(freedom > 0))
        return 1;
    if (freedom > freedom_of_normal)
        return erfc(fabs(t) / sqrt(2));
    double square = t * t / freedom;
    return isinf(square) ? 0 : beta(freedom / 2, 0.5, 1 / (1 + square), square / (1 + square));
}

double p11prof_student_quantile(double tail, double freedom)
{
    double low = 0, high = 1;
    if (!(freedom > 0))
        return INFINITY;
    while (p11prof_student_tail(high, freedom) > tail) {
        low = high;
        high *= 2;
        if (high > 1e150)
            return INFINITY;
    }
    for (int i = 0; i < 100 && high - low > 1e-14 * high; i++) {
        double middle = (low + high) / 2;
        bool beyond = p11prof_student_tail(middle, freedom) > tail;
        low = beyond ? middle : low;
        high = beyond ? high : middle;
    }
    return (low + high) / 2;
}

double p11prof_normal_quantile(double tail)
{
    return p11prof_student_quantile(tail, INFINITY);
}
